"""How the environment of the test suite is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import set_up

needs_shell = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def make_program(path: Path, status: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return path


@needs_shell
def test_shim_that_refuses_to_start_is_passed_over(tmp_path: Path) -> None:
    make_program(tmp_path / "shims" / "python2.7", 127)
    real = make_program(tmp_path / "pyenv" / "versions" / "2.7.18" / "bin" / "python2.7", 0)
    environ = {"PATH": str(tmp_path / "shims"), "PYENV_ROOT": str(tmp_path / "pyenv")}
    assert set_up.find_python27(environ) == real


@needs_shell
def test_path_comes_before_pyenv(tmp_path: Path) -> None:
    first = make_program(tmp_path / "bin" / "python2.7", 0)
    make_program(tmp_path / ".pyenv" / "versions" / "2.7.18" / "bin" / "python2.7", 0)
    environ = {"PATH": str(first.parent), "HOME": str(tmp_path)}
    assert set_up.find_python27(environ) == first


@needs_shell
def test_named_interpreter_is_the_only_candidate(tmp_path: Path) -> None:
    make_program(tmp_path / "bin" / "python2.7", 0)
    named = make_program(tmp_path / "named", 1)
    environ = {"PATH": str(tmp_path / "bin"), set_up.PYTHON_VARIABLE: str(named)}
    with pytest.raises(set_up.UnavailableError, match="named"):
        set_up.find_python27(environ)


def test_todays_python_is_not_taken_for_the_old_one() -> None:
    with pytest.raises(set_up.UnavailableError):
        set_up.find_python27({set_up.PYTHON_VARIABLE: sys.executable})


def test_script_says_that_there_is_no_python27(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, set_up.__file__, str(tmp_path / "cache")],
        env={
            "PATH": str(tmp_path),
            "HOME": str(tmp_path),
            "SYSTEMROOT": os.getenv("SYSTEMROOT", ""),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == set_up.STATUS_UNAVAILABLE
    assert "needs CPython 2.7" in done.stderr


def test_named_environment_without_the_suite_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(set_up.BrokenError, match=set_up.ENVIRONMENT_VARIABLE):
        set_up.find_environment({set_up.ENVIRONMENT_VARIABLE: str(tmp_path)})


def test_unfinished_or_outdated_cache_is_not_used(tmp_path: Path) -> None:
    assert set_up.find_environment({}, tmp_path) is None
    marker = tmp_path / "made-of.txt"
    marker.write_text("autobahntestsuite==0.8.2\n")
    assert set_up.find_environment({}, tmp_path) is None
    shutil.copyfile(set_up.REQUIREMENTS, marker)
    assert set_up.find_environment({}, tmp_path) == set_up.python_in(tmp_path)
