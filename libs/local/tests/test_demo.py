"""The parts of `vigil demo`: what was delivered, when it has failed, and where its video comes from."""

import importlib.util
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from vigil_client import cloudevents
from vigil_client.cloudevents import Alert
from vigil_client.testing.command import vigil
from vigil_client.testing.scripted_answers import alert_json
from vigil_client.watching import Limits
from vigil_local.commands.demo import Delivery, failure, renderer, video_in
from vigil_local.supervisor.plan import DEMO_VIDEO


def alert(state: str, alert_id: str = "a-1") -> Alert:
    return cloudevents.alert(json.dumps(alert_json(state, alert_id=alert_id)))


def delivered(*states: str) -> Delivery:
    delivery = Delivery()
    for state in states:
        event = alert(state)
        delivery.take(event, event.capture_time + timedelta(milliseconds=321))
    return delivery


def test_an_alert_is_timed_from_the_picture_that_opened_it() -> None:
    delivery = delivered("opened", "updated", "closed")
    assert delivery.latencies_ms == {"a-1": 321.0}
    assert delivery.completed == 1


def test_only_what_was_opened_and_closed_is_complete() -> None:
    assert delivered("opened", "updated").completed == 0
    assert delivered("closed").completed == 0
    delivery = delivered("opened")
    other = replace(alert("closed"), alert_id="a-2")
    delivery.take(other, other.capture_time)
    assert delivery.completed == 0


@pytest.mark.parametrize(
    ("states", "why"),
    [
        ((), "the alert did not come in 60 s"),
        (("opened",), "the alert opened but did not close in 60 s"),
        (("opened", "closed"), ""),
    ],
)
def test_a_demo_that_ends_by_itself_has_failed_without_an_alert(states: tuple[str, ...], why: str) -> None:
    assert failure(delivered(*states), Limits(duration_s=60)) == why
    assert failure(delivered(*states), Limits()) == "", "one that is stopped by hand has not failed"


def test_the_rendered_camera_is_where_the_gateway_knows_it(tmp_path: Path) -> None:
    assert video_in(tmp_path / "run").path == (tmp_path / "run").resolve() / DEMO_VIDEO


def test_an_installed_package_offers_the_renderer() -> None:
    assert importlib.util.find_spec(renderer()) is not None


async def test_a_demo_that_cannot_start_exits_with_a_next_step(tmp_path: Path) -> None:
    engine = ("--engine-url", "http://127.0.0.1:9", "--model", "m")
    source = ("--source", str(tmp_path / "any.mp4"))
    result = await vigil("demo", *source, *engine, "--data-dir", str(tmp_path / "run"))
    assert result.status == 1
    assert "the engine at http://127.0.0.1:9 cannot be used" in result.output
    assert "correct --engine-url" in result.output
