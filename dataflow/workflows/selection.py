"""Which assets a selection means, in Dagster's own syntax: `marts/daily`, `+daily`, `group:raw or kind:dbt`.

The syntax: https://docs.dagster.io/guides/build/assets/asset-selection-syntax
"""

from __future__ import annotations

import warnings
from typing import Any

from dataflow.config.validation import suggestion
from dataflow.errors import UsageError
from dataflow.models import AssetNode, WorkflowInfo


def select(info: WorkflowInfo, text: str) -> tuple[str, ...]:
    """The assets of a workflow that `text` selects, in the order of the workflow. Imports dagster (a second).

    Raises:
        UsageError: SELECTION_INVALID where it is none; ASSET_UNKNOWN where it selects nothing.
    """
    import dagster as dg
    from dagster._core.definitions.asset_selection import DagsterInvalidAssetSelectionError
    from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's own, about the parts of its syntax
        try:
            selection = dg.AssetSelection.from_string(text)
            graph = AssetGraph.from_assets([_stand_in(node) for node in info.graph])
            keys = selection.resolve(graph, allow_missing=True) & graph.materializable_asset_keys
        except DagsterInvalidAssetSelectionError:
            hint = "For example: orders, +daily (with all before it), orders+ (with all after it), group:raw, kind:dbt."
            raise UsageError(f"'{text}' is no selection of assets.", code="SELECTION_INVALID", hint=hint) from None
    chosen = {key.to_user_string() for key in keys}
    if not chosen:
        hint = suggestion(text.strip("+"), info.assets) or f"It has: {', '.join(info.assets)}."
        raise UsageError(f"'{text}' selects no asset of {info.name}.", code="ASSET_UNKNOWN", hint=hint)
    return tuple(asset for asset in info.assets if asset in chosen)


def _stand_in(node: AssetNode) -> Any:
    """An asset of the same place in the graph that computes nothing."""
    import dagster as dg

    key = dg.AssetKey.from_user_string

    @dg.asset(
        key=key(node.key),
        deps=[key(name) for name in node.upstream],
        group_name=node.group,
        kinds=set(node.kinds),
        tags={name: value for name, value in node.tags.items() if not name.startswith("dagster/")},
        owners=list(node.owners),
    )
    def stand_in() -> None: ...

    return stand_in
