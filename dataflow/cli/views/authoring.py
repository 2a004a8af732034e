"""Templates, new workflows and tests, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import count, table, took

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.scaffold import Scaffolded, TemplateList
    from dataflow.operations.workflow_tests import SuiteResult


def show_templates(console: Console, result: TemplateList) -> None:
    """Each with what it is for."""
    table(console, ["TEMPLATE", "WHAT IT IS FOR"], [(one.name, one.about) for one in result.templates])


def show_scaffolded(console: Console, result: Scaffolded) -> None:
    """The files as a tree, and what to do next."""
    from rich.tree import Tree

    told = "would be made" if result.dry_run else "made"
    console.print(f"The workflow {result.name} {told} from the template {result.template}:")
    tree = Tree(f"workflows/{result.name}", guide_style="dim")
    branches = {"": tree}
    for file in result.files:
        *folders, name = file.split("/")
        for depth in range(len(folders)):
            inner, outer = "/".join(folders[: depth + 1]), "/".join(folders[:depth])
            if inner not in branches:
                branches[inner] = branches[outer].add(folders[depth])
        branches["/".join(folders)].add(name)
    console.print(tree)
    if result.dry_run:
        return
    console.print(f"Try it:  dataflow workflow test {result.name}")
    needed = f"dataflow start {' '.join(result.requires)} && " if result.requires else ""
    console.print(f"Run it:  {needed}dataflow workflow run {result.name}", soft_wrap=True)


def show_tests(console: Console, result: SuiteResult) -> None:
    """How many of each workflow held."""
    workflows = dict.fromkeys(test.workflow for test in result.tests)
    rows: list[tuple[str, ...]] = []
    for name in workflows:
        own = [test.outcome for test in result.tests if test.workflow == name]
        rows.append((name, *(str(own.count(outcome)) for outcome in ("passed", "failed", "skipped"))))
    table(console, ["WORKFLOW", "#PASSED", "#FAILED", "#SKIPPED"], rows)
    if result.without:
        console.print(f"Without tests: {', '.join(result.without)}")
    console.print(f"{count(len(result.tests), 'test')} in {took(result.seconds)}.")
