"""A teacher's distribution over answers taught to a student network (Hinton, Vinyals, Dean 2015, arXiv:1503.02531)."""

import torch
from torch import Tensor


def soften(teacher: Tensor, temperature: float) -> Tensor:
    r"""Return :math:`p^{(T)} ∝ p^{1/T}`: (B, A) → (B, A); an answer of probability 0 keeps it, an empty row stays empty."""
    weight = torch.where(teacher > 0, teacher.clamp(min=1e-12) ** (1 / temperature), torch.zeros_like(teacher))
    return weight / weight.sum(1, keepdim=True).clamp(min=1e-12)


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
    r"""Return how far the student's softened answers are from the teacher's, (B,), not negative.

    :math:`T^2\, KL(p_t^{(T)} \Vert p_s^{(T)})`, :math:`p_s^{(T)} = \mathrm{softmax}(s / T)`; the factor keeps the
    gradient's size whatever the temperature (Hinton et al. 2015, section 2). The student's (B, A) logits are the lowest
    finite number where it cannot give an answer; a teacher's row of zeros says that it gave none, and costs nothing.

    >>> distillation_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.5, 0.5]])).tolist()
    [0.0]
    """
    target = soften(teacher, temperature)
    log_student = (student / temperature).log_softmax(1)
    log_target = target.clamp(min=1e-12).log()
    each = torch.where(target > 0, target * (log_target - log_student), torch.zeros_like(target))
    return temperature**2 * each.sum(1)
