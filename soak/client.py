"""One client process: `python client.py TASK`, where TASK is JSON, as run.py writes it.

Its threads hold one conversation after another until the time is over, and then print what they
counted, as JSON.
"""

from __future__ import annotations

import faulthandler
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from typing import Any

from conversation import Conversation, Settings
from messages import Maker

import lomond.twin
from lomond.io.waiting import forget_free

_SAMPLE = 0.5  # seconds
_LAST_WORDS = 120.0  # seconds that conversations may take to end


def descriptors() -> int:
    """How many are open, but for what lomond keeps for its next wait; -1: nobody tells."""
    forget_free()
    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):
            return len(os.listdir(folder))
    return -1


def resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def work(number: int, task: dict[str, Any], counts: Counter[str], wrong: list[str]) -> None:
    """One thread."""
    chance = random.Random(f"{task['seed']} {task['number']} {number}")
    maker = Maker(chance)
    serial = (task["number"] * 100 + number) * 10_000_000
    while time.monotonic() < task["end"]:
        serial += 1000
        conversation = Conversation(Settings.any(chance, task), maker, chance, serial)
        conversation.hold()
        counts.update(conversation.counts)
        wrong += conversation.wrong


def main(task: dict[str, Any]) -> int:
    """Count."""
    since = time.monotonic()
    task["end"] = since + task["seconds"]
    each = [(Counter[str](), list[str]()) for _ in range(task["threads"])]
    threads = [
        threading.Thread(target=work, args=(number, task, *counted), daemon=True)
        for number, counted in enumerate(each)
    ]
    before = descriptors()
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < task["end"]:
        time.sleep(_SAMPLE)
        memory.append(resident())
    for thread in threads:
        thread.join(max(0.0, task["end"] + _LAST_WORDS - time.monotonic()))
    hung = sum(thread.is_alive() for thread in threads)
    if hung:
        faulthandler.dump_traceback()
    counts = sum((count for count, _ in each), Counter[str]())
    said = {
        "twin": lomond.twin.running,
        "counts": counts,
        "wrong": [line for _, lines in each for line in lines][:20],
        "hung": hung,
        "descriptors": [before, descriptors()],
        "memory": memory,
    }
    print(json.dumps(said), flush=True)
    os._exit(0)


if __name__ == "__main__":
    faulthandler.enable()
    sys.exit(main(json.loads(sys.argv[1])))
