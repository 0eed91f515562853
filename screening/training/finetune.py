"""Fine-tunes the encoder and its read-outs on two cores, lower layers kept as published.

The read-outs start from a regression on the published encoder's features, so that the first steps do not
tear up what it knows (LP-FT, Kumar et al. 2022). Weights are averaged over the last part of the run
(Izmailov et al. 2018). The word table stays as published, in four bits.
"""

import logging
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from domain.vocabulary import Severity
from screening.training.e5 import Published
from screening.training.encoder import DIMENSIONS, Head

Array = NDArray[np.float32]
log = logging.getLogger("screening.training")
MASKED = -1e4
"""What a score of attention to padding is lowered by."""


@dataclass(frozen=True)
class Recipe:
    """How long and how strongly to train. Rates are per step at the peak of a one-cycle schedule."""

    epochs: int = 3
    batch: int = 32
    frozen: int = 2
    rate: float = 1e-4
    head_rate: float = 3e-4
    decay: float = 0.01
    dropout: float = 0.1
    warm_up: float = 0.1
    severity: float = 0.2
    alike: float = 0.05
    temperature: float = 0.1
    smoothing: float = 0.03
    average_from: float = 0.6
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One text as tokens: `target` over the classes, `severity` or None, `weight`, and which rows are alike."""

    ids: Sequence[int]
    target: Sequence[float]
    severity: Severity | None
    weight: float
    alike: int
    """Rows of one policy in one scenario carry one number; -1 where nothing is known."""


@dataclass(frozen=True)
class Tuned:
    """The model with its new tensors, and its read-outs."""

    model: Published
    classes: Head
    severities: Head


class _Layer(nn.Module):
    def __init__(self, width: int, wide: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.mix = nn.Linear(width, width)
        self.mix_norm = nn.LayerNorm(width, eps=1e-12)
        self.widen = nn.Linear(width, wide)
        self.narrow = nn.Linear(wide, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = dropout

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        count, length, width = states.shape
        query, key, value = (
            part(states).view(count, length, self.heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        # Written out: on processors the fused form's way back takes a third of all training time.
        scores = (query @ key.transpose(-1, -2)).float() / math.sqrt(query.shape[-1]) + mask
        mixed = torch.softmax(scores, -1).to(value.dtype) @ value
        mixed = self.mix(mixed.transpose(1, 2).reshape(count, length, width))
        states = self.mix_norm(states + self._dropped(mixed))
        wide = functional.gelu(self.widen(states))
        return self.norm(states + self._dropped(self.narrow(wide)))

    def _dropped(self, states: Tensor) -> Tensor:
        """Dropout by one random byte a number: drawing floats takes longer than the products around it."""
        if not self.training or not self.dropout:
            return states
        kept = torch.empty(states.shape, dtype=torch.uint8).random_(0, 256) >= round(256 * self.dropout)
        return states * kept / (1 - self.dropout)


_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mix": "attention.output.dense",
    "mix_norm": "attention.output.LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
    "norm": "output.LayerNorm",
}


class Network(nn.Module):
    """The encoder with read-outs over the means of all its layers."""

    def __init__(self, model: Published, classes: Head, severities: Head, recipe: Recipe) -> None:
        super().__init__()
        tensors = model.tensors
        self.words = nn.Embedding.from_pretrained(torch.from_numpy(model.words[np.arange(len(model.pieces))]))
        places = (
            tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        self.places = nn.Embedding.from_pretrained(torch.from_numpy(places))
        self.norm = nn.LayerNorm(DIMENSIONS, eps=1e-12)
        wide = tensors["encoder.layer.0.intermediate.dense.bias"].size
        self.layers = nn.ModuleList(_Layer(DIMENSIONS, wide, model.heads, recipe.dropout) for _ in range(model.layers))
        self.classes = nn.Linear(*classes.weight.shape)
        self.severities = nn.Linear(*severities.weight.shape)
        with torch.no_grad():
            for place, own in self._named(model.layers):
                own.copy_(torch.from_numpy(tensors[place]))
            for linear, head in ((self.classes, classes), (self.severities, severities)):
                linear.weight.copy_(torch.from_numpy(head.weight.T))
                linear.bias.copy_(torch.from_numpy(head.bias))
        for module in (self.norm, *self.layers[: recipe.frozen]):
            module.requires_grad_(False)
        self.frozen = recipe.frozen

    def _named(self, layers: int) -> Iterator[tuple[str, Tensor]]:
        """Name in the checkpoint, and parameter."""
        for kind in ("weight", "bias"):
            yield f"embeddings.LayerNorm.{kind}", getattr(self.norm, kind)
            for number in range(layers):
                for part, name in _PARTS.items():
                    yield f"encoder.layer.{number}.{name}.{kind}", getattr(getattr(self.layers[number], part), kind)

    def forward(self, ids: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Class logits, severity logits and the mean of the last layer; `real` is N x S, 1 for tokens."""
        weights = real.unsqueeze(-1).float()
        count = weights.sum(1)
        mask = (1 - real[:, None, None, :].float()) * MASKED
        means = []
        with torch.no_grad():
            states = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
        means.append((states * weights).sum(1) / count)
        for number, layer in enumerate(self.layers):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number >= self.frozen):
                states = layer(states, mask)
            means.append((states * weights).sum(1) / count)
        features = torch.cat(means, dim=-1).float()
        with torch.autocast("cpu", enabled=False):
            return self.classes(features), self.severities(features), means[-1].float()

    def tensors(self) -> dict[str, Array]:
        return {name: value.detach().numpy().copy() for name, value in self._named(len(self.layers))}


def tune(model: Published, classes: Head, severities: Head, rows: Sequence[Sequence[Row]], recipe: Recipe) -> Tuned:
    """Train on the rows of each epoch (`rows[epoch]`); prints its progress and the time left."""
    torch.manual_seed(recipe.seed)
    network = Network(model, classes, severities, recipe)
    heads = [*network.classes.parameters(), *network.severities.parameters()]
    body = [p for layer in network.layers for p in layer.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": recipe.rate}, {"params": heads, "lr": recipe.head_rate}],
        weight_decay=recipe.decay,
        fused=True,
    )
    batches = [batch for epoch, given in enumerate(rows) for batch in _batches(given, recipe, epoch)]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _cycle(step / len(batches), recipe.warm_up))
    average = _Average(network)
    network.train()
    began, lost = time.monotonic(), 0.0
    half = _multiplies_in_half()
    for step, batch in enumerate(batches):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = _loss(network, batch, recipe)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*body, *heads], 1.0)
        optimiser.step()
        schedule.step()
        lost = 0.98 * lost + 0.02 * loss.item() if step else loss.item()
        if step >= recipe.average_from * len(batches):
            average.add(network)
        if step % 50 == 49:
            taken = time.monotonic() - began
            left = taken / (step + 1) * (len(batches) - step - 1)
            log.info("step %d of %d, loss %.3f, %.0f s left", step + 1, len(batches), lost, left)
    average.put(network)
    return Tuned(
        replace(model, tensors=model.tensors | network.tensors()), _head(network.classes), _head(network.severities)
    )


def _multiplies_in_half() -> bool:
    """Whether this processor has bfloat16 products; elsewhere they are slower than those of float32."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))


class _Average:
    """The running mean of what is trained."""

    def __init__(self, network: Network) -> None:
        self._sums = [torch.zeros_like(p) for p in network.parameters() if p.requires_grad]
        self._count = 0

    def add(self, network: Network) -> None:
        self._count += 1
        for total, value in zip(self._sums, (p for p in network.parameters() if p.requires_grad), strict=True):
            total += (value.detach() - total) / self._count

    def put(self, network: Network) -> None:
        with torch.no_grad():
            for total, value in zip(self._sums, (p for p in network.parameters() if p.requires_grad), strict=True):
                value.copy_(total)


def _loss(network: Network, batch: Sequence[Row], recipe: Recipe) -> Tensor:
    ids, real = _padded(batch)
    classes, severities, mean = network(ids, real)
    weights = torch.tensor([row.weight for row in batch])
    target = torch.tensor([row.target for row in batch])
    target = (1 - recipe.smoothing) * target + recipe.smoothing / target.shape[1]
    each = -(target * functional.log_softmax(classes, -1)).sum(-1)
    loss = (each * weights).sum() / weights.sum()
    rated = [i for i, row in enumerate(batch) if row.severity is not None]
    if rated:
        wanted = torch.tensor([row.severity.rank for row in batch if row.severity is not None])
        loss = loss + recipe.severity * functional.cross_entropy(severities[rated], wanted)
    return loss + recipe.alike * _apart(mean, torch.tensor([row.alike for row in batch]), recipe.temperature)


def _apart(mean: Tensor, alike: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020) over rows that are known to be alike."""
    same = (alike[:, None] == alike[None, :]) & (alike[:, None] >= 0)
    same.fill_diagonal_(False)
    rows = same.any(1)
    if not bool(rows.any()):
        return mean.new_zeros(())
    unit = functional.normalize(mean, dim=-1)
    near = (unit @ unit.T / temperature).masked_fill(torch.eye(len(unit), dtype=torch.bool), -1e9)
    logs = near - near.logsumexp(1, keepdim=True)
    return -((logs * same).sum(1)[rows] / same.sum(1)[rows]).mean()


def _padded(batch: Sequence[Row]) -> tuple[Tensor, Tensor]:
    length = max(len(row.ids) for row in batch)
    ids = torch.zeros((len(batch), length), dtype=torch.long)
    for number, row in enumerate(batch):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
    real = torch.arange(length)[None, :] < torch.tensor([len(row.ids) for row in batch])[:, None]
    return ids, real.long()


def _batches(rows: Sequence[Row], recipe: Recipe, epoch: int) -> list[list[Row]]:
    """Batches of similar length in random order, rows that are alike kept near each other."""
    dice = random.Random(f"{recipe.seed}-{epoch}")
    keyed = sorted(rows, key=lambda row: len(row.ids) * dice.uniform(0.8, 1.25))
    made = [keyed[at : at + recipe.batch] for at in range(0, len(keyed), recipe.batch)]
    dice.shuffle(made)
    return made


def _cycle(done: float, warm_up: float) -> float:
    if done < warm_up:
        return done / warm_up
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


def _head(linear: nn.Linear) -> Head:
    return Head(linear.weight.detach().numpy().T.copy(), linear.bias.detach().numpy().copy())
