"""Is a score a probability, and does abstaining by it help: calibration and risk–coverage, as figures and as SVG."""

from collections.abc import Sequence
from typing import Any

BINS = 10


def calibration(pairs: Sequence[tuple[float, bool]], bins: int = BINS) -> dict[str, Any]:
    """Return the expected calibration error of (score in [0, 1], whether right) and its bins but for empty ones.

    ECE = Σ_b n_b/n · |accuracy_b − mean score_b| over bins of equal width (Guo et al., ICML 2017, Eq. 3).

    >>> calibration([(0.9, True), (0.9, True), (0.1, False)])["ece"]
    0.1
    """
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for score, right in pairs:
        groups[min(int(score * bins), bins - 1)].append((score, right))
    rows = [
        {
            "from": at / bins,
            "to": (at + 1) / bins,
            "count": len(group),
            "score": round(sum(s for s, _ in group) / len(group), 4),
            "accuracy": round(sum(r for _, r in group) / len(group), 4),
        }
        for at, group in enumerate(groups)
        if group
    ]
    error = sum(b["count"] * abs(b["accuracy"] - b["score"]) for b in rows) / max(len(pairs), 1)
    return {"ece": round(error, 4), "bins": rows}


def risk_coverage(pairs: Sequence[tuple[float, bool]], questions: int | None = None) -> dict[str, Any]:
    """Return the share of wrong answers (risk) by the share of questions answered (coverage), surest first.

    Of (score, whether right) an answer given and the number of *questions* asked, abstentions included, gives ``aurc``,
    the area under the curve up to the coverage reached (lower is better), divided by it, and ``points``, one a distinct
    score.

    >>> risk_coverage([(0.9, True), (0.5, False)])["points"][0]
    {'threshold': 0.9, 'coverage': 0.5, 'risk': 0.0}
    """
    asked = questions or len(pairs)
    ordered = sorted(pairs, key=lambda pair: -pair[0])
    points, wrong, area = [], 0, 0.0
    for n, (score, right) in enumerate(ordered, 1):
        wrong += not right
        area += wrong / n
        if n == len(ordered) or ordered[n][0] != score:
            points.append({"threshold": round(score, 4), "coverage": round(n / asked, 4), "risk": round(wrong / n, 4)})
    return {"aurc": round(area / max(len(ordered), 1), 4), "points": points}


def calibration_svg(found: dict[str, Any]) -> str:
    """Draw accuracy by score, a dot a bin (its area the number of answers), with the diagonal of perfect calibration."""
    most = max((b["count"] for b in found["bins"]), default=1)
    dots = "".join(
        f'<circle cx="{_x(b["score"]):.1f}" cy="{_y(b["accuracy"]):.1f}" r="{3 + 9 * (b["count"] / most) ** 0.5:.1f}" '
        f'fill="#2f6fd0" fill-opacity=".75"><title>{b["count"]} answers</title></circle>'
        for b in found["bins"]
    )
    diagonal = f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#888" stroke-dasharray="4"/>'
    return _axes("score", "share right", f"calibration error {found['ece']:.3f}", diagonal + dots)


def risk_coverage_svg(found: dict[str, Any]) -> str:
    """Draw the share of wrong answers by the share of questions answered."""
    line = " ".join(f"{_x(p['coverage']):.1f},{_y(p['risk']):.1f}" for p in found["points"])
    drawn = f'<polyline points="{line}" fill="none" stroke="#2f6fd0" stroke-width="2"/>'
    return _axes("coverage", "risk (share wrong)", f"area {found['aurc']:.3f}", drawn)


def _x(share: float) -> float:
    return 50 + 300 * share


def _y(share: float) -> float:
    return 320 - 280 * share


def _axes(across: str, up: str, title: str, inside: str) -> str:
    ticks = "".join(
        f'<text x="{_x(t / 5):.0f}" y="336" text-anchor="middle">{t / 5:g}</text>'
        f'<text x="44" y="{_y(t / 5) + 4:.0f}" text-anchor="end">{t / 5:g}</text>'
        f'<line x1="50" x2="350" y1="{_y(t / 5):.0f}" y2="{_y(t / 5):.0f}" stroke="#ddd"/>'
        for t in range(6)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 370 370" width="370" height="370" role="img" '
        f'font-family="system-ui, sans-serif" font-size="11"><title>{up} by {across}</title>'
        f'<rect width="370" height="370" fill="#fff"/>{ticks}{inside}'
        f'<text x="200" y="356" text-anchor="middle">{across}</text>'
        f'<text x="14" y="180" text-anchor="middle" transform="rotate(-90 14 180)">{up}</text>'
        f'<text x="200" y="22" text-anchor="middle" font-size="13">{title}</text></svg>\n'
    )
