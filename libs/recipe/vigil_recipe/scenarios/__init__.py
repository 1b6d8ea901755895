"""Scenario families: what is asked of the model over an episode, and what is right to answer."""

from vigil_recipe.scenarios.sampling import all_texts, exam_script, sample_script, scenarios_for
from vigil_recipe.scenarios.script import (
    TAUGHT,
    Due,
    Line,
    Observed,
    Purpose,
    Result,
    Said,
    Scenario,
    Script,
    ScriptTurn,
)

__all__ = [
    "TAUGHT",
    "Due",
    "Line",
    "Observed",
    "Purpose",
    "Result",
    "Said",
    "Scenario",
    "Script",
    "ScriptTurn",
    "all_texts",
    "exam_script",
    "sample_script",
    "scenarios_for",
]
