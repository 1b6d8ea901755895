"""The form of sound inside Vigil: 16-bit little-endian mono samples. Pure."""

SAMPLE_BYTES = 2
SAMPLE_RATE_HZ = 16_000  # of all sound that a session hears; what it speaks has the rate of its voice
BYTES_PER_S = SAMPLE_RATE_HZ * SAMPLE_BYTES
MIN_CHUNK_MS = 20
MAX_CHUNK_MS = 100


def chunk_bytes(duration_ms: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> int:
    """Bytes of so many milliseconds of sound."""
    return sample_rate_hz * duration_ms // 1_000 * SAMPLE_BYTES


def duration_ms(pcm: bytes, sample_rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """Milliseconds of sound."""
    return len(pcm) / SAMPLE_BYTES / sample_rate_hz * 1_000


def length_us(length_bytes: int) -> int:
    """Microseconds of so many bytes of sound at `SAMPLE_RATE_HZ`."""
    return length_bytes * 1_000_000 // BYTES_PER_S


def is_whole(pcm: bytes, most_bytes: int) -> bool:
    """Whether it is some sound, of whole samples, and at most so much."""
    return 0 < len(pcm) <= most_bytes and len(pcm) % SAMPLE_BYTES == 0
