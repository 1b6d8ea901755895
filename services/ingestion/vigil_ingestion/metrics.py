"""What ingestion counts. Labels never name a session."""

from prometheus_client import Counter, Gauge, Histogram

DECODED = Counter("vigil_ingestion_frames_decoded", "Pictures that came out of a decoder")
SAMPLED = Counter("vigil_ingestion_frames_sampled", "Pictures that were encoded for a turn")
DROPPED = Counter(
    "vigil_ingestion_frames_dropped",
    "Pictures or turns left out: late (the process fell behind), broken (damaged), replaced (a newer turn was there), "
    "unpublished (the bus did not take it)",
    ["reason"],
)
DECODE_ERRORS = Counter("vigil_ingestion_decode_errors", "Packets that the decoder could not read")
RECONNECTS = Counter(
    "vigil_ingestion_reconnects", "Times that a source had to be opened again, by what was wrong", ["fault"]
)
CLOCK_FAULTS = Counter(
    "vigil_ingestion_clock_faults",
    "Time stamps of a camera or file that drift or jump against this server's clock, by kind (`clock_drift`, "
    "`clock_jump`); its pictures are watched all the same",
    ["fault"],
)
SOURCES = Gauge("vigil_ingestion_sources", "Sources that are open or being opened")
LOST = Gauge("vigil_ingestion_sources_lost", "Sources that show no pictures and are opened again and again")
CLIENTS = Gauge("vigil_ingestion_webrtc_clients", "Clients of WebRTC that are connected or being connected")
SIGNALLED = Counter(
    "vigil_ingestion_webrtc_signalled",
    "Requests of clients of WebRTC (offer, candidates, close), by outcome: taken, or why they were refused",
    ["request", "outcome"],
)
WEBRTC_DROPPED = Counter(
    "vigil_ingestion_webrtc_dropped",
    "What clients of WebRTC sent and nobody took in time: datagram (not read), coded (not decoded), decoded (a newer "
    "picture or sound was there)",
    ["what"],
)
SOUND_CHUNKS = Counter("vigil_ingestion_sound_chunks", "Chunks of 40 ms of the sound of sources that were published")
SOUND_DROPPED = Counter(
    "vigil_ingestion_sound_dropped",
    "Pieces of the sound of sources left out: coded (too much waited to be decoded), broken (damaged), late (held up "
    "for more than 2 s), replaced (more than 2 s waited to be published), unpublished (the bus did not take it)",
    ["reason"],
)
PREVIEW_SECONDS = Histogram(
    "vigil_ingestion_preview_seconds",
    "Encoding one picture of the smooth preview, which is done only while somebody looks",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
)
PREVIEW_DROPPED = Counter(
    "vigil_ingestion_preview_dropped",
    "Pictures of the preview that were not published: a newer one came, or NATS was away",
)
PROBES = Counter("vigil_ingestion_probes", "Sources probed, by outcome", ["outcome"])
PUBLISH_SECONDS = Histogram(
    "vigil_ingestion_publish_seconds",
    "From the capture of a turn's newest frame until its group was given to the bus",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
