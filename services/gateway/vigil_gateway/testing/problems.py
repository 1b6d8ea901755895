"""How the gateway refuses a request of its REST API."""

import aiohttp

SECRET_URL = "rtsp://user:secret@camera.local/stream1"


async def refused(
    client: aiohttp.ClientSession, method: str, path: str, status: int, kind: str, **request: object
) -> dict[str, object]:
    """Send the request, check that it is refused as `kind`, return the problem."""
    async with client.request(method, path, **request) as answer:  # type: ignore[arg-type]
        problem: dict[str, object] = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["type"]) == (status, f"urn:vigil:problem:{kind}"), problem
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["next_step"]
    assert "secret" not in str(problem)
    assert "Traceback" not in str(problem)
    return problem
