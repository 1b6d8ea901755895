"""Requests to core values. What breaks a rule of the core is raised as a `CoreError` that names the option."""

import time
from dataclasses import replace

from vigil.core.hearing import Hearing, TurnTaking
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Watch
from vigil.core.memory import MemoryLimits
from vigil.core.modules import Modules
from vigil.core.profile import profile as profile_named
from vigil.core.session import Cadence, SessionSpec, Speech, Window
from vigil.core.source import Source, SourceKind, kind_of
from vigil.core.voice import Voice
from vigil.core.watch_name import watch_name
from vigil_gateway.api.errors import NotServed
from vigil_gateway.api.models.options import HearingChange, SourceIn
from vigil_gateway.api.models.sessions import SessionIn, SessionPatch
from vigil_gateway.api.models.standing import WatchIn
from vigil_gateway.config import GatewaySettings
from vigil_gateway.memory.time_zones import check_zone
from vigil_gateway.sessions.session_id import new_session_id
from vigil_gateway.sessions.source_id import source_id


def new_spec(settings: GatewaySettings, tenant: str, body: SessionIn) -> SessionSpec:
    """A new session with the gateway's model and profile where none is given. Raises `CoreError`, `NotServed`."""
    session = new_session_id()
    check_zone("memory.time_zone", body.memory.time_zone)
    return SessionSpec(
        tenant=tenant,
        session=session,
        source=_source(body.source, session),
        profile=_profile(settings, body),
        model=body.model or settings.model,
        cadence=Cadence(**dict(body.cadence)),
        window=Window(**dict(body.window)),
        speech=Speech(**dict(body.speech)),
        memory=MemoryLimits(**dict(body.memory)),
        hearing=Hearing(**dict(body.hearing)),
        voice=Voice(**dict(body.voice)),
        modules=Modules(**dict(body.modules)),
        infer_when_idle=body.infer_when_idle,
        brain=body.brain,
        created_us=time.time_ns() // 1_000,
    )


def pushed_spec(settings: GatewaySettings, key: SessionKey, model: str, source_id: str, name: str) -> SessionSpec:
    """A session that a first turn begins under a client's name, with the gateway's defaults. Its alerts are under the
    name's id, also those of a later session of the same name. `name` is shown where it is not the session's id."""
    return SessionSpec(
        tenant=key.tenant,
        session=key.session,
        source=Source(source_id, SourceKind.PUSHED, name="" if name == key.session else name),
        profile=settings.profile,
        model=model,
        created_us=time.time_ns() // 1_000,
    )


def changed_spec(spec: SessionSpec, change: SessionPatch) -> SessionSpec:
    """The spec with what the request changes. Raises `CoreError` when the options do not go together then."""
    return replace(
        spec,
        cadence=replace(spec.cadence, **change.cadence.model_dump(exclude_none=True)),
        speech=replace(spec.speech, **change.speech.model_dump(exclude_none=True)),
        hearing=_changed_hearing(spec.hearing, change.hearing),
        voice=replace(spec.voice, **change.voice.model_dump(exclude_none=True)),
        modules=replace(spec.modules, **change.modules.model_dump(exclude_none=True)),
        infer_when_idle=spec.infer_when_idle if change.infer_when_idle is None else change.infer_when_idle,
        brain=spec.brain if change.brain is None else change.brain,
    )


def _changed_hearing(hearing: Hearing, change: HearingChange) -> Hearing:
    """What goes with the options that change, and is not given, changes with them."""
    given = change.model_dump(exclude_none=True)
    if change.is_on is False:
        given["from_source"] = False
    if change.turn_taking not in (None, TurnTaking.WAKE):
        given.setdefault("wake_phrase", "")
    return replace(hearing, **given)


def watch_of(watch_id: str, given: WatchIn) -> Instruction:
    """The watch that a request asks for, under `watch_id`."""
    times = given.model_dump(exclude={"name", "text", "severity", "brain"})
    watch = Watch(given.name or watch_name(given.text), given.severity, **times)
    return Instruction(watch_id, given.text, watch, brain=given.brain)


def _source(given: SourceIn, session: str) -> Source:
    if given.kind is not None:
        return Source(given.id or session, given.kind, name=given.name, loop=given.loop)
    return Source(given.id or source_id(given.url), kind_of(given.url), given.url, given.name, given.loop)


def _profile(settings: GatewaySettings, body: SessionIn) -> str:
    """The usual model has its one profile; whoever names another model may name the profile that it knows.

    Raises `NotServed`, `UnknownProfile`.
    """
    asked = body.profile or settings.profile
    if asked != settings.profile and body.model in (None, settings.model):
        raise NotServed("profile", asked, settings.profile)
    return profile_named(asked).name
