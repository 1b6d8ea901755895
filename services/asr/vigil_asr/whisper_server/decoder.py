"""Whisper on the CPU by CTranslate2, fast enough to be asked while somebody speaks. Nothing of Vigil is imported here.

Whisper always looks at 30 seconds. Here it is shown the sound that there is and a little silence, which takes a
third to a quarter of the time and now and then makes the decoder repeat itself: repeats are cut, and where a final
one had some, it is decoded once more over the whole window.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from repeats import without_repeats
from turns import always

RATE_HZ = 16_000
WINDOW_S = 30.0
WINDOW_FRAMES = 3_000
PARTIAL_PADDING_S = 2.0
FINAL_PADDING_S = 5.0
MAX_TOKENS = 224
SILENT = 0.8  # from this probability of silence on, by Whisper itself, nothing was said
ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Decoded:
    """What Whisper understood; `mean_log_probability` is that of its tokens."""

    text: str
    language: str
    mean_log_probability: float
    silence: float


class Decoder:
    """One model. For one caller at a time."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
        self._is_multilingual = bool(self._model.model.is_multilingual)
        self._tokenizers: dict[str, Tokenizer] = {}

    def decode(self, sound: Any, language: str, *, is_final: bool, go_on: Callable[[], object] = always) -> Decoded:
        """What is said in `sound`: float32 samples between -1 and 1 at `RATE_HZ`, at most `WINDOW_S` of them. `go_on`
        is called before each long step, and ends the work by what it raises."""
        first = self._decoded(sound, language, FINAL_PADDING_S if is_final else PARTIAL_PADDING_S, go_on)
        text = without_repeats(first.text)
        if is_final and text != first.text:
            go_on()
            first = self._decoded(sound, language, WINDOW_S, go_on)
            text = without_repeats(first.text)
        return Decoded(text, first.language, first.mean_log_probability, first.silence)

    def _decoded(self, sound: Any, language: str, padding_s: float, go_on: Callable[[], object]) -> Decoded:
        padded = np.concatenate([sound, np.zeros(int(RATE_HZ * padding_s), np.float32)])
        features = self._model.feature_extractor(padded, padding=0)[:, :WINDOW_FRAMES]
        even = features[None, :, : features.shape[1] // 2 * 2]
        encoded = self._model.model.encode(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(even, dtype=np.float32))
        )
        go_on()
        spoken = self._language(encoded, language)
        tokenizer = self._tokenizer(spoken)
        generated = self._model.model.generate(
            encoded,
            [self._prompt(tokenizer)],
            beam_size=1,
            max_length=min(MAX_TOKENS, len(sound) // 2_000 + 20),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        is_silent = generated.no_speech_prob > SILENT
        text = "" if is_silent else tokenizer.decode(generated.sequences_ids[0]).strip()
        score = float(generated.scores[0])
        return Decoded(text, spoken, score if math.isfinite(score) else -10.0, float(generated.no_speech_prob))

    def _language(self, encoded: Any, language: str) -> str:
        if not self._is_multilingual:
            return ENGLISH
        known = language.partition("-")[0].lower()
        if known in self._model.supported_languages:
            return known
        token, _ = self._model.model.detect_language(encoded)[0][0]
        return str(token)[2:-2]  # <|de|>

    def _tokenizer(self, language: str) -> Tokenizer:
        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, self._is_multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]

    def _prompt(self, tokenizer: Tokenizer) -> list[int]:
        of_language = [tokenizer.language, tokenizer.transcribe] if self._is_multilingual else []
        return [tokenizer.sot, *of_language, tokenizer.no_timestamps]
