"""The site: what Sphinx makes of this folder, without a network."""

import inspect
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "src"))
os.environ["LOMOND_PURE"] = "1"  # what is compiled may be another Python's

from sphinx.domains.python import PyObject  # noqa: E402  # its place is known by then

import lomond  # noqa: E402  it is found by the lines above
from lomond import rows  # noqa: E402  # its place is known by then

project = "lomond"
author = "the authors of lomond"
copyright = author  # noqa: A001  Sphinx's name
version = release = lomond.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["requirements.txt"]
nitpicky = False
default_role = "py:obj"  # what docstrings have in `single` marks; a link where there is a place

myst_enable_extensions = ["deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # what is below says them in the words of people
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False

html_theme = "furo"
html_title = "lomond"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"


# The pages of reference/ show docstrings. The options stand once, on a page of their own: here
# docstrings have the line that stands for them, instead of 60 paragraphs, and signatures a word.
rows.documented = lambda text, _: text
_OPTIONS = {  # among the arguments, and alone
    f"    {rows.MARK}": "    **options: As the page :doc:`options` has them, each by its name.",
    rows.MARK: "All options are on a page of their own: :doc:`options`.",
}
#: The names of errors, of which events have some, where a line tells when they are raised.
_ERRORS = re.compile(r"(?<=^    )NoReply(?=:)")
_NOTHING = inspect.Parameter.empty
#: What people read instead of what type checkers do, for each way to wait.
_BLOCKING = {"Sent": "None", "Stream": "Iterator[AnyEvent]"}
_AWAITED = {"Sent": "Awaitable[None]", "Stream": "Events", "Events": "~lomond.aio.Events"}
_WORDS = {
    "Generator[AnyEvent, None, None]": "Iterator[AnyEvent]",
    "Generator[Recorded, None, None]": "Iterator[Recorded]",
    "Stream_co": "Iterator[AnyEvent]",
    "Connectable[Iterator[AnyEvent]]": "WebSocket",
    "Buffer": "bytes",
    "Self": "Server",
    "Played": "Server | Callable",
    "GivesUrl": "Callable[[], str]",
    "Reply": "tuple[str, Any] | Callable",
    "AwaitedSource": "file | Iterable | AsyncIterable",
    "Source": "file | Iterable",
    "Target": "str | PathLike | TextIO | Callable",
    "Callable[[Any], Message]": "Callable",
    "Message": "str | bytes | dict | list",
    "os.PathLike[str]": "PathLike",
    "Path": "str | PathLike",
    "Same": "Callable",
    "Expected": "str | bytes | dict | list | Callable | None",
    "Scripts": "Scripted",
}
#: What a program is given, and does not make.
_GIVEN = re.compile(
    "Ending|Events|Gap|Stats|Traffic|Compression|Timings|Latency|Attempt|Secured|Recorded|Close|"
    "Serving|World|Conversation|Step|Scripted"
)


def link_options(_app, _what, _name, _found, _settings, lines):
    """Where the options would be told of, name their page; errors are lomond's, not events."""
    lines[:] = [
        _ERRORS.sub(r"~lomond.errors.\g<0>", _OPTIONS.get(line.rstrip(), line)) for line in lines
    ]


def shorten(_app, what, name, found, _settings, _signature, _gives):
    """The signature for people: without options, type variables, and what no program makes."""
    if what not in ("class", "exception", "function", "method"):
        return None
    if isinstance(found, type) and issubclass(found, lomond.events.Event):
        return f"({', '.join(found.__match_args__)})", ""  # as `match` has it
    if isinstance(found, type) and _GIVEN.fullmatch(found.__name__):
        return "", ""
    try:
        signature = inspect.signature(found)
    except ValueError:
        return None
    is_awaited = any(f".{kind}." in name for kind in ("AsyncWebSocket", "TrioWebSocket"))
    words = _WORDS | (_AWAITED if is_awaited else _BLOCKING)
    has_options = rows.MARK in (found.__doc__ or "")
    options = {n for own in rows.OWNERS.values() for n in own} if has_options else set()
    shown, is_by_name = [], False
    for one in signature.parameters.values():
        if one.name in ("self", "cls") or (one.name in options and one.default is not _NOTHING):
            continue
        if has_options and one.kind is one.VAR_KEYWORD:
            continue
        if one.kind is one.KEYWORD_ONLY and not is_by_name:
            shown.append("*")
        is_by_name = is_by_name or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        shown.append(_parameter(one, words))
    if has_options:
        shown.append("**options")
    gives = "" if isinstance(found, type) else _type(signature.return_annotation, words)
    return f"({', '.join(shown)})", gives


def _parameter(one, words):
    """A parameter as it is written, but for what only the library has."""
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    kind = _type(one.annotation, words)
    said = f"{stars}{one.name}" + (f": {kind}" if kind else "")
    if one.default is _NOTHING:
        return said
    is_said = type(one.default) is not object and not callable(one.default)
    default = repr(one.default) if is_said else "..."
    return f"{said} = {default}" if kind else f"{said}={default}"


def _type(annotation, words):
    """A type as it is written in the sources, in the words of people."""
    if annotation is _NOTHING:
        return ""
    said = getattr(annotation, "__forward_arg__", annotation)  # as a NamedTuple keeps it
    said = said if isinstance(said, str) else said.__name__
    for name, instead in words.items():
        said = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", instead, said)
    return said


def setup(app):
    """Have both asked: the first before napoleon, which reads the docstring's sections."""
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"  # as docstrings call them
    app.connect("autodoc-process-docstring", link_options, priority=400)
    app.connect("autodoc-process-signature", shorten)
