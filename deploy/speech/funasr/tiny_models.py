"""Makes FunASR's streaming models very small, with random weights: what they recognize means nothing.

make(FOLDER)        writes FOLDER/paraformer and FOLDER/vad, which `funasr.AutoModel` loads

Two things in them are set, not drawn. Paraformer says one Chinese character for every 240 ms of sound, so how much it
says tells how much it heard. The detector of speech goes by loudness.
"""

import json
from pathlib import Path
from typing import Any

import torch
import yaml
from funasr.models.fsmn_vad_streaming.model import FsmnVADStreaming
from funasr.models.paraformer_streaming.model import ParaformerStreaming

_CHARACTERS = [chr(0x4E00 + 37 * number) for number in range(60)]
_TOKENS = ["<blank>", "<s>", "</s>", *_CHARACTERS, "<unk>"]
_NOT_SAID = [0, 1, 2, len(_TOKENS) - 1]
_WIDTH = 32
_FRAMES_EACH = 4  # frames of 60 ms for one character
_BLOCK = {"attention_heads": 2, "linear_units": 64, "num_blocks": 2, "kernel_size": 11}
_SOUND = {"fs": 16000, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10, "dither": 0.0}

_PARAFORMER: dict[str, Any] = {
    "model": "ParaformerStreaming",
    "model_conf": {"ctc_weight": 0.0, "predictor_weight": 1.0, "predictor_bias": 1, "sampling_ratio": 0.75},
    "encoder": "SANMEncoderChunkOpt",
    "encoder_conf": {
        **_BLOCK,
        "output_size": _WIDTH,
        "input_layer": "pe_online",
        "selfattention_layer_type": "sanm",
        "sanm_shfit": 0,
        "chunk_size": [12, 15],
        "stride": [8, 10],
        "pad_left": [0, 0],
        "encoder_att_look_back_factor": [4, 4],
        "decoder_att_look_back_factor": [1, 1],
    },
    "decoder": "ParaformerSANMDecoder",
    "decoder_conf": {**_BLOCK, "att_layer_num": 2, "sanm_shfit": 5},
    "predictor": "CifPredictorV2",
    "predictor_conf": {"idim": _WIDTH, "threshold": 1.0, "l_order": 1, "r_order": 1, "tail_threshold": 0.45},
    "frontend": "WavFrontendOnline",
    "frontend_conf": {**_SOUND, "lfr_m": 7, "lfr_n": 6},
    "tokenizer": "CharTokenizer",
    "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
}
_VAD: dict[str, Any] = {
    "model": "FsmnVADStreaming",
    "model_conf": {"decibel_thres": -20.0, "max_end_silence_time": 800},
    "encoder": "FSMN",
    "encoder_conf": {
        "input_dim": 400,
        "input_affine_dim": 16,
        "fsmn_layers": 1,
        "linear_dim": 16,
        "proj_dim": 8,
        "lorder": 20,
        "rorder": 0,
        "lstride": 1,
        "rstride": 0,
        "output_affine_dim": 16,
        "output_dim": 8,
    },
    "frontend": "WavFrontendOnline",
    "frontend_conf": {**_SOUND, "lfr_m": 5, "lfr_n": 1},
}


def make(folder: Path) -> None:
    """The same each time."""
    torch.manual_seed(20)
    model = ParaformerStreaming(**{**_PARAFORMER, **_PARAFORMER["model_conf"]}, input_size=560, vocab_size=len(_TOKENS))
    with torch.no_grad():
        model.predictor.cif_output.weight.zero_()
        model.predictor.cif_output.bias.fill_(-torch.log(torch.tensor(_FRAMES_EACH - 1.0)))
        model.decoder.output_layer.weight.normal_()
        model.decoder.output_layer.bias[_NOT_SAID] = -1e4
    _write(folder / "paraformer", _PARAFORMER, model, 560)
    (folder / "paraformer" / "tokens.json").write_text(json.dumps(_TOKENS, ensure_ascii=False), encoding="utf-8")

    model = FsmnVADStreaming(**{**_VAD, **_VAD["model_conf"]})
    with torch.no_grad():
        model.encoder.out_linear2.linear.bias[0] = -20.0  # the score of silence
    _write(folder / "vad", _VAD, model, 400)


def _write(folder: Path, config: dict[str, Any], model: torch.nn.Module, width: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    torch.save(model.state_dict(), folder / "model.pt")
    # Kaldi's form of "subtract 15, divide by 4", which is about where spoken sound lies.
    (folder / "am.mvn").write_text(
        f"<Nnet>\n<AddShift> {width} {width}\n<LearnRateCoef> 0 [ {'-15 ' * width}]\n"
        f"<Rescale> {width} {width}\n<LearnRateCoef> 0 [ {'0.25 ' * width}]\n</Nnet>\n"
    )
