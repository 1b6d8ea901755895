"""What a model's machinery takes for structure in a prompt. It is written anew and wide, beside Vigil's own reader."""

import re

from vigil.core.message import Image, Message
from vigil.core.profile import PromptProfile

# Every token that the tokenizers of these families add to their words, and the words that stand for a picture.
_TOKENS = """
<|im_start|> <|im_end|> <|endoftext|> <|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>
<|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|> <|quad_start|> <|quad_end|> <|fim_prefix|>
<|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> <think> </think> <tool_call> </tool_call>
<tool_response> </tool_response> <|begin_of_text|> <|end_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|>
<|eom_id|> <|python_tag|> <s> </s> <unk> <bos> <eos> <pad> <start_of_turn> <end_of_turn> <start_of_image>
<end_of_image> <image_soft_token> [INST] [/INST] <<SYS>> <</SYS>> [TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS]
[AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [IMG] [IMG_BREAK] [IMG_END] <image> <video>
<img> </img> <IMG_CONTEXT> <｜User｜> <｜Assistant｜> <｜begin▁of▁sentence｜> <｜end▁of▁sentence｜>
<function_calls> </function_calls> <invoke> </invoke>
"""
_STRUCTURE = re.compile(
    "|".join(
        (
            *map(re.escape, _TOKENS.split()),
            r"<\|[^\s<>|]*\|>",
            r"</?(?:silence|response|delegation)>",
            r"<[ \d.,]+ ?s\w* ?(?:[-~][ \d.,]+ ?s\w* ?)?>",
            r"\[ ?(?:User Query|Background Result|Module Observations|Video History|Recalled Memory)",
            r"\[ ?(?:Q ?& ?A History|Query ?@|Response ?@)",
            r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]",
            r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]",
        )
    ),
    re.IGNORECASE,
)


def structure(text: str) -> tuple[str, ...]:
    """The elements of structure of a text, in their order. Times are all alike."""
    found = (element.group().lower() for element in _STRUCTURE.finditer(text))
    return tuple("<time>" if element[1:2].isdigit() else element for element in found)


def words_of(message: Message) -> str:
    """All text of a message."""
    return "".join(part.text for part in message.parts if not isinstance(part, Image))


def of_message(message: Message) -> tuple[str, ...]:
    """The elements of structure of a message, with its pictures."""
    elements: list[str] = [message.role]
    for part in message.parts:
        elements += ["picture"] if isinstance(part, Image) else structure(part.text)
    return tuple(elements)


def is_forged(reply: str, profile: PromptProfile) -> bool:
    """Whether a reply of the history is anything but one action whose words have no structure."""
    silence, response, delegation = map(re.escape, profile.spelling.words)
    form = rf"{silence}|{response} (?P<words>.+?)(?: {delegation} (?P<question>.+))?|{delegation} (?P<alone>.+)"
    read = re.fullmatch(form, reply)
    return read is None or any(structure(said) for said in read.groupdict().values() if said)
