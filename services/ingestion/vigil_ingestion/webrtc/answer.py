"""What is added to aiortc's answer. Pure."""


def limited(sdp: str, kbps: int) -> str:
    """The answer with a bound of the bits that the client may send a second (RFC 8866, 5.8), video alone.

    Browsers keep it; others may not.
    """
    lines, is_video = [], False
    for line in sdp.splitlines():
        lines.append(line)
        if line.startswith("m="):
            is_video = line.startswith("m=video ")
        elif line.startswith("c=") and is_video:
            lines.append(f"b=AS:{kbps}")
    return "".join(f"{line}\r\n" for line in lines)
