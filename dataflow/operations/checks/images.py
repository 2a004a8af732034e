"""Images of the wanted services: are they here, and will they still be there tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataflow.engines.docker import DockerEngine
from dataflow.operations.checks import known
from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Verdict, passed, skipped

_NO_IMAGES = "The native engine has no images."
_OUR_OWN = re.compile(r"\$\{DATAFLOW_(TOOLKIT|BAKED)_IMAGE")
_FLOATING = {"latest", "main", "master", "edge", "nightly", "dev"}


def present(subject: Subject) -> Verdict | list[Verdict]:
    """Each image is here, or will be fetched or built."""
    if not subject.uses_docker:
        return skipped(_NO_IMAGES)
    here, engine = subject.docker().images, subject.engine
    own = engine.project.code_image if isinstance(engine, DockerEngine) else ""
    asked = _references(subject)
    refused = [
        Verdict("warn", f"{name} is left out: {why}.", "Once it can be had:", "dataflow up --pull", name)
        for name, why in subject.stack.absent.items()
        if name in asked
    ]
    pulled = sorted({image for image in asked.values() if image and image not in here})
    missing = [*pulled, *([f"{own} (built here)"] if own and own not in here else [])]
    if refused or not missing:
        return refused or passed(f"The images of {len(asked)} services are here.")
    words = f"{', '.join(missing)}: not here, `dataflow up` fetches or builds what is missing."
    return passed(words)


def supply(subject: Subject) -> Verdict | list[Verdict]:
    """No image is at its end, gone from its registry, or another one tomorrow."""
    if subject.choice().name != "docker":
        return skipped(_NO_IMAGES)
    found = [verdict for name, image in _references(subject).items() for verdict in _risks(subject, name, image)]
    return found or passed("Every image has a fixed tag, and none is known to have ended.")


def _risks(subject: Subject, service: str, image: str) -> Iterator[Verdict]:
    if not image:
        return
    about = f"{service}: {image}"
    if risk := known.supply(image):
        gone = risk.state == "gone" and not _is_here(subject, image)
        words = f"{risk.says} ({image}, since {risk.since})."
        yield Verdict("fail" if gone else "warn", words, risk.instead, None, about)
    _, tag = known.split(image)
    if "@" not in image and (not tag or tag in _FLOATING):
        words = f"{image} has {'no tag' if not tag else f'the tag {tag}'}: it is another image after every pull."
        hint = f"Name a version under [services.{service}] image in dataflow.toml."
        yield Verdict("warn", words, hint, None, about)


def _is_here(subject: Subject, image: str) -> bool:
    from dataflow.errors import DataflowError

    try:
        return image in subject.docker().images
    except DataflowError:
        return False


def _references(subject: Subject) -> dict[str, str]:
    """The image of each wanted service; empty for those of our own image."""
    settings = subject.loaded.settings.services
    found: dict[str, str] = {}
    for name, spec in subject.engine.wanted.items():
        built = spec.container is None or _OUR_OWN.match(spec.container.image or "")
        default = "" if built or spec.container is None else spec.container.default_image
        own = settings.get(name)
        found[name] = subject.stack.pins.get(name) or (own.image if own and own.image else default)
    return found
