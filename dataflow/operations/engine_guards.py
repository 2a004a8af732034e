"""What must hold between the two engines, whichever is in use."""

from __future__ import annotations

from dataflow.config.catalog import load_services, profiles
from dataflow.config.validation import suggestion
from dataflow.engines import choice, stack
from dataflow.errors import Action, MissingError, UsageError
from dataflow.events import Noted, Report
from dataflow.operations.context import Context


def require_profiles(context: Context, names: tuple[str, ...]) -> None:
    """Every profile brings something. Raises UsageError PROFILE_UNKNOWN with a did-you-mean."""
    known = profiles(load_services(context.paths)) if names else ()
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"There are: {', '.join(sorted(known))}."
            raise UsageError(f"There is no profile '{name}'.", code="PROFILE_UNKNOWN", hint=hint)


def note_other_data(context: Context, report: Report) -> None:
    """Say that the project's data stays with the other engine, when it was up there last."""
    known = stack.load(context.paths.stack)
    if known.engine in (None, context.choice.name):
        return
    words = f"Objects and run history stay with the {known.engine} engine"
    report(Noted(f"{words}; `dataflow engine switch {context.choice.name}` carries them over.", warning=True))


def note_held(context: Context, report: Report) -> None:
    """Say which services an upgrade that was undone holds at what they ran before."""
    if context.choice.name == "docker" and (held := sorted(stack.load(context.paths.stack).pins)):
        words = f"The last upgrade was undone: {', '.join(held)} stay as they were before it"
        report(Noted(f"{words}. `dataflow upgrade` tries again.", warning=True))


def require_other_down(context: Context) -> None:
    """Two engines must not work on one warehouse. Raises MissingError ENGINE_OTHER."""
    other = stack.load(context.paths.stack).engine
    if other in (None, context.choice.name):
        return
    engine = choice.make(other, context.paths, context.loaded, context.catalog)
    if not engine.observe().alive:
        return
    message = f"The platform is up on the {other} engine."
    actions = (
        Action("Carry everything over", f"dataflow engine switch {context.choice.name}"),
        Action("Or take it down", f"dataflow down --engine {other}"),
    )
    raise MissingError(message, code="ENGINE_OTHER", actions=actions)
