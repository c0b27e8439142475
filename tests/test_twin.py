"""Which twin runs, what says so, and what becomes of one that is not as it was built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import lomond
from lomond import twin

HERE = Path(lomond.__path__[0])
SUFFIX = EXTENSION_SUFFIXES[0]
LIST = twin.LIST.format(SUFFIX)
#: The twin, and the module of one class of each that is compiled.
TELL = (
    "import sys\n"
    "from lomond import twin\n"
    "from lomond.protocol import connection, events, mask\n"
    "from lomond.io import shared\n"
    "from lomond.system import wire\n"
    "import lomond.aio, lomond.group\n"
    "kinds = {m.__file__.rpartition('.')[2] for n, m in sys.modules.items()\n"
    "         if n.removeprefix('lomond.') in LISTED}\n"
    "print(twin.running, *kinds)"
)
PURE, COMPILED = "pure py", f"compiled {SUFFIX.rpartition('.')[2]}"

needs_both = pytest.mark.skipif(
    twin.built_from(HERE) is None, reason="the compiled twin was not built"
)


def run(
    code: str, *options: str, folder: Path = HERE.parent, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python on the package of that folder, from elsewhere."""
    chosen = {"LOMOND_PURE": "", "LOMOND_COMPILED": ""}
    return subprocess.run(
        [sys.executable, *options, "-c", f"LISTED = {listed()!r}\n{code}"],
        env={**os.environ, **chosen, "PYTHONPATH": str(folder), **variables},
        cwd=os.sep,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def told(code: str, *options: str, folder: Path = HERE.parent, **variables: str) -> str:
    """What it prints, if it says nothing else."""
    done = run(code, *options, folder=folder, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def refused(code: str, folder: Path = HERE.parent, **variables: str) -> str:
    """The last line of what it raises."""
    done = run(code, folder=folder, **variables)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def listed() -> list[str]:
    """The names on the list."""
    path = HERE / LIST
    return [line.split()[0] for line in path.read_text().splitlines()[1:]] if path.exists() else []


def traceback_of(name: str, call: str, **variables: str) -> list[str]:
    """The lines of it, of a call in a module of the protocol."""
    code = (
        f"import traceback\nfrom lomond.protocol import {name}\n"
        f"try: {name}.{call}\nexcept Exception: print(traceback.format_exc())"
    )
    return [line.strip() for line in told(code, **variables).splitlines()]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a package of its own, as it was built."""
    package = tmp_path / "lomond"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE, package, copy_function=os.symlink, ignore=ignored)
    return tmp_path


def change(path: Path, content: bytes) -> None:
    """Another file in its place: what stands there is a link to what all tests use."""
    path.unlink()
    path.write_bytes(content)


def compiled(folder: Path, name: str) -> Path:
    return folder.joinpath("lomond", *name.split(".")).with_suffix(SUFFIX)


@needs_both
def test_without_a_word_the_compiled_one_runs() -> None:
    assert told(TELL) == COMPILED
    assert told(TELL, LOMOND_PURE="0") == COMPILED
    assert told(TELL, LOMOND_PURE="", LOMOND_COMPILED="1") == COMPILED
    assert "(compiled, " in told("from lomond.cli import main; main(['--version'])")


@pytest.mark.parametrize("value", ["1", "yes"])
def test_lomond_pure_runs_the_sources(value: str) -> None:
    expected = PURE if listed() else "pure"
    assert told(TELL, LOMOND_PURE=value) == expected
    assert "(pure, " in told("from lomond.cli import main; main(['--version'])", LOMOND_PURE=value)


def test_both_at_once_can_not_be() -> None:
    said = refused("import lomond", LOMOND_PURE="1", LOMOND_COMPILED="1")
    assert said == "ImportError: LOMOND_PURE and LOMOND_COMPILED are both set; unset one of them"


def test_where_none_was_built_the_sources_run(copy: Path) -> None:
    (copy / "lomond" / LIST).unlink(missing_ok=True)
    # What lies about there is not looked at.
    assert told(TELL, folder=copy) == (PURE if listed() else "pure")
    said = refused("import lomond", folder=copy, LOMOND_COMPILED="1")
    assert said.startswith("ImportError: LOMOND_COMPILED is set, but lomond was installed without")
    assert LIST in said


@needs_both
@pytest.mark.parametrize("what", ["longer", "shorter", "missing", "source", "gone"])
def test_what_does_not_fit_has_all_run_as_sources(copy: Path, what: str) -> None:
    path = compiled(copy, "protocol.messages")
    if what == "source":
        path = path.with_name("messages.py")
        change(path, path.read_bytes() + b"\n")
    elif what == "gone":  # the module is no more
        path = path.with_name("short.py")
        path.unlink()
    elif what == "missing":
        path.unlink()
    else:
        data = path.read_bytes()
        change(path, data + b"x" if what == "longer" else data[:-1])
    done = run(TELL, folder=copy)
    assert (done.returncode, done.stdout.strip()) == (0, PURE)
    line = done.stderr.splitlines()[0]
    assert line.startswith(f"<string>:3: RuntimeWarning: {path} is not what lomond was built with")
    assert "install lomond again, or set LOMOND_PURE=1" in line
    assert told(TELL, folder=copy, LOMOND_PURE="1") == PURE
    said = refused("import lomond", folder=copy, LOMOND_COMPILED="1")
    assert said.startswith(f"ImportError: LOMOND_COMPILED is set, but {path} is not what lomond")


@needs_both
@pytest.mark.parametrize(
    "content", [b"", b"abc\n", b"abc\nprotocol.mask 1\n", b"abc\n\n", b"abc\nx y z\n", b"\xff"]
)
def test_a_list_that_says_nothing_has_all_run_as_sources(copy: Path, content: bytes) -> None:
    path = copy / "lomond" / LIST
    change(path, content)
    done = run(TELL, folder=copy)
    assert (done.returncode, done.stdout.strip()) == (0, PURE)
    assert f"RuntimeWarning: {path} is not what lomond was built with" in done.stderr
    assert told(TELL, folder=copy, LOMOND_PURE="1") == PURE


@needs_both
def test_a_module_that_is_not_on_the_list_is_not_loaded(copy: Path) -> None:
    stray = compiled(copy, "session.pings")
    stray.write_bytes(b"not of this build")
    code = "import lomond.session.pings as found; print(found.__file__)"
    assert told(code, folder=copy) == str(stray.with_name("pings.py"))


@needs_both
@pytest.mark.parametrize("content", ["of another build", "no module"])
def test_one_that_can_not_be_loaded_names_itself_and_the_cure(copy: Path, content: str) -> None:
    path = compiled(copy, "protocol.frames")
    size = path.stat().st_size
    other = compiled(copy, "protocol.mask").read_bytes() if content != "no module" else b"no"
    change(path, other.ljust(size, b"\0"))
    said = refused("import lomond.protocol.output", folder=copy)
    assert said.startswith(f"ImportError: {path} can't be loaded (")
    assert said.endswith("); install lomond again, or set LOMOND_PURE=1")
    assert told(TELL, folder=copy, LOMOND_PURE="1") == PURE


@needs_both
@pytest.mark.parametrize(
    ("error", "is_its_fault"),
    [
        ("ImportError('lomond.protocol.mask does not export expected C function mask')", True),
        ("TypeError('C function mask has wrong signature')", True),
        ("ModuleNotFoundError('No module named h11', name='h11')", False),
    ],
)
def test_one_that_does_not_go_with_another_names_itself(error: str, is_its_fault: bool) -> None:
    """What Cython's modules raise then, and what is for want of a package."""
    code = f"""if True:
        import lomond
        from importlib.machinery import ExtensionFileLoader
        def fail(self, module): raise {error}
        ExtensionFileLoader.exec_module = fail
        import lomond.protocol.output"""
    said = refused(code)
    named = f"ImportError: {HERE / 'protocol' / 'output'}{SUFFIX} can't be loaded ("
    assert said.startswith(named) == is_its_fault
    assert said.endswith("set LOMOND_PURE=1") == is_its_fault


@needs_both
def test_a_frozen_program_without_sources_says_so(copy: Path) -> None:
    for name in listed():
        compiled(copy, name).with_name(f"{name.rpartition('.')[2]}.py").unlink()
    assert told(TELL, folder=copy) == COMPILED
    said = refused("import lomond", folder=copy, LOMOND_PURE="1")
    assert said.startswith("ImportError: LOMOND_PURE is set, but this program has no sources of")


def test_a_source_that_is_gone_since_it_was_built_is_not_missed(copy: Path) -> None:
    """A checkout, where a compiled module has got another name: it is to be installed again."""
    path = copy / "lomond" / LIST
    path.unlink(missing_ok=True)
    path.write_text("abc\nio.gone 5 5\nprotocol.messages 5 5\n")
    expected = PURE if listed() else "pure"
    assert told(TELL, folder=copy, LOMOND_PURE="1") == expected
    done = run(TELL, folder=copy)
    assert (done.returncode, done.stdout.strip()) == (0, expected)
    assert "RuntimeWarning: " in done.stderr


@needs_both
def test_what_froze_a_program_may_have_stripped_its_modules(copy: Path) -> None:
    path = compiled(copy, "protocol.messages")
    change(path, path.read_bytes() + b"x")
    assert told(f"import sys; sys.frozen = True\n{TELL}", folder=copy) == COMPILED


@pytest.mark.parametrize("pure", ["0", "1"])
def test_a_traceback_shows_the_line_of_the_source(pure: str) -> None:
    lines = traceback_of("frames", "build_close_payload('x', '')", LOMOND_PURE=pure)
    (at,) = (i for i, line in enumerate(lines) if line.endswith("build_close_payload"))
    folder = "" if listed() and pure == "0" else f"{HERE.parent}{os.sep}"
    assert lines[at].startswith(f'File "{folder}lomond/protocol/frames.py", line ')
    assert lines[at + 1].startswith('raise TypeError(f"close code must be an int or None')
    asked = "import linecache, lomond; print(linecache.getline('lomond/protocol/frames.py', 1))"
    assert told(asked, LOMOND_PURE=pure).startswith('"""One frame, RFC 6455 section 5.2')


@needs_both
def test_a_traceback_of_a_kernel_shows_its_own_line() -> None:
    lines = traceback_of("mask", "mask(b'x', b'four!')")
    assert 'raise ValueError("a masking key has 4 bytes")' in lines


@needs_both
@pytest.mark.parametrize("pure", ["0", "1"])
def test_the_tests_stop_where_other_sources_were_compiled(copy: Path, pure: str) -> None:
    shutil.copytree(copy, copy / "src", copy_function=os.symlink, symlinks=True)
    (copy / "tests").mkdir()
    stop = copy / "tests" / "built.py"
    stop.write_bytes(Path(__file__).with_name("built.py").read_bytes())
    code = f"import runpy; runpy.run_path({str(stop)!r}); print('goes on')"
    assert told(code, folder=copy / "src", LOMOND_PURE=pure) == "goes on"
    source = copy / "src" / "lomond" / "protocol" / "frames.pxd"
    change(source, source.read_bytes().replace(b"bytes", b"BYTES"))
    done = run(code, folder=copy / "src", LOMOND_PURE=pure)
    if pure == "1":
        assert done.stdout == "goes on\n"
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert "install again" in done.stderr
