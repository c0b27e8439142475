"""The completion of the command, by the shells themselves: what they offer behind what is typed."""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.commanding import completed
from lomond.cli import COMMANDS, completion, connecting, exits
from patience import PATIENCE

PARSER = connecting.parser
BASH = r"""
source {script}
IFS=' ' read -ra COMP_WORDS <<< {line}
[[ {line} == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_lomond
printf '%s\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
autoload -Uz compinit && compinit -u -D
source {script}
unsetopt PROMPT_SP; PS1='>'; LISTMAX=1000; stty cols 200 rows 200
"""
DONE = "lomond-test-done"


def script_for(shell: str, folder: Path) -> Path:
    path = folder / f"completion.{shell}"
    path.write_text(completion.script(PARSER(), shell))
    return path


def by_bash(folder: Path, line: str) -> list[str]:
    code = BASH.format(script=shlex.quote(str(script_for("bash", folder))), line=shlex.quote(line))
    return run(["bash", "--norc", "-c", code], folder).split("\n")


def by_fish(folder: Path, line: str) -> list[str]:
    script = shlex.quote(str(script_for("fish", folder)))
    code = f"source {script}; complete -C {shlex.quote(line)}"
    said = run(["fish", "--no-config", "-c", code], folder)
    return [offered.partition("\t")[0] for offered in said.split("\n")]


def by_zsh(folder: Path, line: str) -> list[str]:
    """What it shows for two tabs, on a terminal."""
    import pty  # not there on Windows, nor is zsh

    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "dumb", "HOME": str(folder)}
    process = subprocess.Popen(
        ["zsh", "-f", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environ,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        prepare = ZSH.format(script=shlex.quote(str(script_for("zsh", folder))))
        # In two parts, or its echo would end the wait.
        os.write(ours, f"{prepare}\necho {DONE[:4]}''{DONE[4:]}\n".encode())
        read_until(ours, lambda said: DONE in said)
        os.write(ours, f"{line}\t\t".encode())
        # Nothing marks the end of what it offers; so a command is run behind it, as a comment.
        said = read_until(ours, lambda said: line in said, quiet=0.7)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return said.replace("\r", "\n").replace("\x07", "\n").replace("[K", " ").split()


def read_until(terminal: int, is_here: Callable[[str], bool], quiet: float = 0.0) -> str:
    """What comes until that is here, and then nothing for so many seconds."""
    said = b""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        is_done = is_here(said.decode(errors="replace"))
        if is_done and not quiet:
            break
        ready, _, _ = select.select([terminal], [], [], quiet if is_done else 1.0)
        if ready:
            said += os.read(terminal, 65536)
        elif is_done:
            break
    return said.decode(errors="replace")


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stderr == ""
    return done.stdout.rstrip("\n")


BY_SHELL = {"bash": by_bash, "fish": by_fish, "zsh": by_zsh}


@pytest.fixture(params=sorted(BY_SHELL))
def offered(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], list[str]]:
    """What a shell offers behind a line, in a folder with the file ``a feed.jsonl``."""
    shell: str = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "afeed.jsonl").touch()
    (tmp_path / "afolder").mkdir()
    return lambda line: BY_SHELL[shell](tmp_path, line)


def test_the_commands(offered: Callable[[str], list[str]]) -> None:
    assert {"ping", "bench", "serve", "replay"} <= set(offered("lomond "))


def test_options_of_the_command_without_a_name(offered: Callable[[str], list[str]]) -> None:
    found = set(offered("lomond --"))
    assert {"--header", "--linger", "--version"} <= found
    assert not {"--speed", "--script"} & found


def test_options_of_a_command(offered: Callable[[str], list[str]]) -> None:
    found = set(offered("lomond serve --"))
    assert {"--echo", "--replay", "--once"} <= found
    assert not {"--linger", "--header"} & found


def test_options_behind_a_url(offered: Callable[[str], list[str]]) -> None:
    assert {"--cert", "--ca", "--cookie"} <= set(offered("lomond ping example.org --c"))


@pytest.mark.parametrize(
    "line",
    [
        "lomond serve --replay af",
        "lomond replay af",
        "lomond --ca af",
        "lomond ping --key af",
    ],
)
def test_files(line: str, offered: Callable[[str], list[str]]) -> None:
    found = {name.rstrip("/") for name in offered(line)}
    assert {"afeed.jsonl", "afolder"} <= found


def test_choices(offered: Callable[[str], list[str]]) -> None:
    assert {"base64", "hex", "raw"} <= set(offered("lomond --binary "))


def test_no_files_where_none_is_wanted(offered: Callable[[str], list[str]]) -> None:
    for line in ("lomond ping -c ", "lomond --origin "):
        assert "afeed.jsonl" not in offered(line)


# What it is made of


def test_every_option_is_in_it() -> None:
    parser = PARSER()
    flags = re.findall(r"(?<!\S)--?\w[\w-]*", parser.format_help().partition("-h, --help")[2])
    assert len(flags) > 25
    for shell in ("bash", "zsh"):
        said = completion.script(parser, shell)
        assert {name for name in flags if name not in said} <= {"-vv"}  # which is -v twice
    assert set(completion.SHELLS) == set(BY_SHELL)


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_command_is_in_it(shell: str) -> None:
    said = completion.script(PARSER(), shell)
    assert [name for name in COMMANDS if name not in said] == []


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_as_a_process(shell: str) -> None:
    done = completed("--completion", shell)
    assert (done.returncode, done.stderr) == (exits.DONE, "")
    assert done.stdout == completion.script(PARSER(), shell)


def test_a_shell_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        completion.script(PARSER(), "csh")
    assert caught.value.code == exits.USAGE
    assert "bash, fish, zsh" in capsys.readouterr().err
