"""The base model, and what PEFT adds to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SOFT = ("p-tuning", "prompt-tuning")


def load_base(weights: Path, recipe: dict[str, Any]) -> Any:
    """In float32 on a CPU, in bfloat16 on a GPU, in four bits (NF4) for QLoRA."""
    import torch
    from transformers import AutoModelForCausalLM

    cpu = recipe["where"] == "cpu"
    more: dict[str, Any] = {"dtype": torch.float32 if cpu else torch.bfloat16}
    if recipe["method"] == "qlora":
        from transformers import BitsAndBytesConfig

        more["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    return AutoModelForCausalLM.from_pretrained(weights, attn_implementation="sdpa", **more)


def with_adapter(base: Any, recipe: dict[str, Any]) -> Any:
    from peft import get_peft_model, prepare_model_for_kbit_training

    if recipe["method"] == "qlora":
        base = prepare_model_for_kbit_training(base, use_gradient_checkpointing=False)
    return get_peft_model(base, adapter_config(recipe))


def adapter_config(recipe: dict[str, Any]) -> Any:
    from peft import LoraConfig, PromptEncoderConfig, PromptTuningConfig, TaskType

    task = TaskType.CAUSAL_LM
    if recipe["method"] in ("lora", "qlora"):
        return LoraConfig(
            task_type=task,
            r=recipe["rank"],
            lora_alpha=recipe["scale"],
            lora_dropout=recipe["dropout"],
            target_modules=list(recipe["targets"]),
            bias="none",
        )
    if recipe["method"] == "p-tuning":
        return PromptEncoderConfig(
            task_type=task, num_virtual_tokens=recipe["virtual"], encoder_hidden_size=128
        )
    return PromptTuningConfig(task_type=task, num_virtual_tokens=recipe["virtual"])


def load_adapter(base: Any, folder: Path) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(base, folder)


def save_adapter(model: Any, folder: Path, base: str) -> None:
    """``base`` by name: the path of this machine is nobody's concern."""
    folder.mkdir(parents=True, exist_ok=True)
    config = model.peft_config["default"]
    known, config.base_model_name_or_path = config.base_model_name_or_path, base
    try:
        model.save_pretrained(folder, safe_serialization=True)
    finally:
        config.base_model_name_or_path = known
    (folder / "README.md").unlink(missing_ok=True)
