"""What was said to a session is left for its next turn: a question, or a watch."""

from vigil.core.command import Ask, Instruct
from vigil.core.hearing import Became
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Watch
from vigil.core.standing import check_addable, standing
from vigil.core.watch_name import watch_name
from vigil.runtime.session.inbox import submit
from vigil_asr.ports import Ports
from vigil_asr.verdict import Verdict
from vigil_asr.words import plain_words


async def ask(ports: Ports, key: SessionKey, command_id: str, verdict: Verdict) -> str:
    """The id of the question or watch that it is now. Raises `UnknownSession`, `SessionEnded`, `StoreError`, and
    `InvalidSpec` where the words are none that a model may be shown or the session has as many watches as it may."""
    if verdict.became is Became.WATCH:
        return await _watch(ports, key, command_id, verdict.text)
    await submit(ports, key, Ask(command_id, verdict.text))
    return command_id


async def _watch(ports: Ports, key: SessionKey, watch_id: str, text: str) -> str:
    """One that stands in the same words stays as it is, and is not added again."""
    commands = await ports.store.commands(key)  # before the state: what a turn takes in between is seen twice
    shown = (await ports.store.history(key)).instructions
    for instruction in (found.instruction for found in standing(shown, commands)):
        if instruction.watch is not None and plain_words(instruction.text) == plain_words(text):
            return instruction.id
    new = Instruction(watch_id, text, Watch(watch_name(text)))
    check_addable(shown, commands, new)
    await submit(ports, key, Instruct(new))
    return new.id
