"""Files and folders of the project: who may read them, whether they are there, and whether git would take secrets."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Cure, Verdict, passed, skipped
from dataflow.system.files import mapped_os_errors
from dataflow.system.process import run

_OTHERS = 0o077
_WORLD_WRITES = 0o002
_OWNER_ONLY = 0o600
_PATIENCE = 2.0
_IGNORED = 0


def permissions(subject: Subject) -> list[Verdict]:
    """What holds secrets is the owner's alone, and nobody else writes the state."""
    paths = subject.paths
    secret = [file for file in (paths.env, paths.workflow_env, paths.run / "supervisord.conf") if file.is_file()]
    found = [verdict for file in secret if (verdict := _readable(file, paths.root))]
    state = paths.state
    if state.is_dir() and stat.S_IMODE(state.stat().st_mode) & _WORLD_WRITES:
        name = state.relative_to(paths.root)
        cure = Cure(f"chmod o-w {name}", lambda _: _change(state, stat.S_IMODE(state.stat().st_mode) & ~_WORLD_WRITES))
        found.append(Verdict("fail", f"Everybody may write to {name}.", None, f"chmod o-w {name}", str(name), cure))
    if state.is_dir() and not os.access(state, os.W_OK):
        owner = f"sudo chown -R $USER {state.relative_to(paths.root)}"
        found.append(
            Verdict("fail", "You may not write to .dataflow: it belongs to somebody else.", None, owner, ".dataflow")
        )
    return found or [passed("Secrets can be read by their owner only.")]


def folders(subject: Subject) -> Verdict:
    """The folder of workflows is there, and the warehouse's."""
    wanted = [subject.paths.workflows, subject.project.warehouse.parent]
    missing = [folder for folder in wanted if not folder.is_dir() and folder != subject.paths.state]
    if not missing:
        return passed("The project's folders are there.")
    names = ", ".join(os.path.relpath(folder, subject.paths.root) for folder in missing)
    cure = Cure(f"mkdir {names}", lambda _: _make(missing))
    return Verdict("warn", f"Not there: {names}.", None, f"mkdir -p {names.replace(',', '')}", cure=cure)


def git(subject: Subject) -> Verdict | list[Verdict]:
    """Secrets and state are not committed. Raises MissingError PROGRAM_MISSING where there is no git."""
    root = subject.paths.root
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return skipped("The project is not in a git repository.")
    found: list[Verdict] = []
    for name in (".env", ".dataflow"):
        if run(["git", "ls-files", "--error-unmatch", name], cwd=root, timeout=_PATIENCE).code == 0:
            hint = "Whoever has the repository has what is in it: change the secrets, too."
            found.append(Verdict("fail", f"git has {name}.", hint, f"git rm -r --cached {name}", name))
            continue
        asked = run(
            ["git", "check-ignore", "--quiet", f"{name}/x" if name != ".env" else name], cwd=root, timeout=_PATIENCE
        )
        if asked.code > 1:
            return skipped(f"git does not say: {asked.stderr.strip() or 'no reason given'}")
        if asked.code != _IGNORED:
            state = "fail" if name == ".env" else "warn"
            words = f"git does not ignore {name}: the next `git add .` takes it."
            found.append(Verdict(state, words, None, f"echo {name} >> .gitignore", name))
    return found or passed("git ignores .env and .dataflow.")


def _readable(file: Path, root: Path) -> Verdict | None:
    mode = stat.S_IMODE(file.stat().st_mode)
    if not mode & _OTHERS:
        return None
    name = str(file.relative_to(root))
    cure = Cure(f"chmod 600 {name}", lambda _: _change(file, _OWNER_ONLY))
    return Verdict(
        "fail", f"Others may read {name} (mode {mode:o}).", "It holds secrets.", f"chmod 600 {name}", name, cure
    )


def _change(path: Path, mode: int) -> None:
    with mapped_os_errors(path):
        path.chmod(mode)


def _make(folders_: list[Path]) -> None:
    for folder in folders_:
        with mapped_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
