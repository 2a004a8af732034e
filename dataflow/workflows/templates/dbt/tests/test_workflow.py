"""`dataflow workflow test workflow_name`."""

from __future__ import annotations

from dataflow.testing import Workbench


def test_the_models_are_built_their_tests_hold_and_again_changes_nothing(workbench: Workbench) -> None:
    result = workbench.run()
    assert result.success
    assert all(check.passed for check in result.get_asset_check_evaluations())
    before = workbench.tables()
    assert workbench.query("select sum(sales) from marts.workflow_name_daily") == [(5,)]
    assert workbench.run().success
    assert workbench.tables() == before
