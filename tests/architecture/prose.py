"""Words that docstrings, comments, texts and documents do without, as docs/glossary.md says."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from tests.architecture.source import Project, PythonFile

# Words that name no actor, or that no reader of technical English expects; each with what to write.
WORDS: Final = {
    r"whoever|whosoever": "name the actor",
    r"somebody": "name the actor",
    r"nobody": "name the actor, or write 'no agency', 'no process', …",
    r"anew": "write 'again'",
    r"that there is not|there is not any": "write 'unknown …' or 'does not exist'",
    r"(?:is|are) answered alike": "say which answer each gets: 'both return 404'",
    r"hears? (?:at once|of)|hears? no more": "write 'is notified' or 'consumes'",
    r"lies? where it lay": "write 'stays'",
    r"looks? no more": "write 'ends' or 'stops polling'",
    r"(?:has|have|had) fallen": "write 'is revoked'",
    r"stands? on|stood on": "write 'depends on'",
    r"routing book|triage desk": "write 'routing rules', 'triage queue'",
    r"hindsight|quiet looks?": "write 'what-if run', 'idle polls'",
}
# What an agency says to people in a published example or in the demo, in everyday English.
_QUOTED: Final = (
    "We have nobody free for this at present.",
    "Nobody opened the door; we will come again.",
    "Nobody opened; we come again tomorrow.",
)
# These name the words in order to find them.
_OWN: Final = ("tests/architecture/prose.py", "tests/architecture/test_project_rules.py")
_ANY_SPACE = r"\s+"
_ALL_WORDS = re.compile(rf"(?<![\w-])(?:{'|'.join(WORDS).replace(' ', _ANY_SPACE)})(?![\w-])", re.IGNORECASE)


def prose_names_its_actors(project: Project) -> Iterator[str]:
    """Docstrings, comments, texts and documents are direct technical English."""
    for path, text in project.files.items():
        for first_line, passage in _prose(path, text) if path not in _OWN else ():
            for found in _ALL_WORDS.finditer(passage):
                line = first_line + passage.count("\n", 0, found.start())
                words = " ".join(found[0].split())
                if passage not in _QUOTED:
                    yield f"{path}:{line}: replace '{words}': {_advice(words)}"


def names_of_tests_name_their_actors(project: Project) -> Iterator[str]:
    """The name of a test is a sentence, which names its actors as other prose does."""
    for source in project.sources:
        for node in source.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for found in _ALL_WORDS.finditer(node.name.replace("_", " ")):
                    yield f"{source.path}:{node.lineno}: replace '{found[0]}' in {node.name}: {_advice(found[0])}"


def _advice(found: str) -> str:
    return next(advice for words, advice in WORDS.items() if re.fullmatch(words, found, re.IGNORECASE))


def _prose(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Find what people read in a file, with the line where it begins; a string without a space is no prose."""
    if path.endswith(".py"):
        source = PythonFile(path, text)
        yield from source.comments
        yield from ((line, text) for line, text, _ in source.strings if " " in text.strip())
    elif path.endswith((".md", ".html", ".jinja", ".toml", ".sql")):
        yield 1, text
