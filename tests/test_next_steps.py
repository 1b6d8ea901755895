"""What the commands say after a refusal stands for one that the gateway knows."""

from vigil_client.commands.hints import STEPS
from vigil_gateway.api.problems import TABLE


def test_every_step_is_for_a_problem_of_the_gateway() -> None:
    assert STEPS.keys() <= {row.kind for row in TABLE.values()}
