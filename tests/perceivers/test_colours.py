"""Colour names: basic terms for plain colours, and an object's own colour rather than its background's."""

from __future__ import annotations

import numpy as np
import pytest

from kgmm.perceivers._colours import colour_names, rgb_to_lab

PLAIN = {
    "red": (200, 20, 30),
    "green": (30, 140, 40),
    "blue": (30, 60, 190),
    "yellow": (250, 225, 40),
    "orange": (245, 140, 30),
    "purple": (120, 40, 140),
    "pink": (245, 150, 180),
    "brown": (110, 65, 35),
    "black": (15, 15, 15),
    "white": (250, 250, 250),
    "gray": (128, 128, 128),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_colours_have_their_name(name: str) -> None:
    assert colour_names(np.array([PLAIN[name]] * 10, np.uint8)) == (name,)


@pytest.mark.parametrize("name", ["red", "green", "blue", "yellow"])
def test_shade_does_not_change_the_name(name: str) -> None:
    shaded = (np.array(PLAIN[name]) * np.linspace(0.75, 1.0, 10)[:, None]).astype(np.uint8)
    assert colour_names(shaded)[0] == name


def test_the_floor_is_not_the_motorcycles_colour() -> None:
    motorcycle = np.array([PLAIN["gray"]] * 60 + [PLAIN["red"]] * 30 + [PLAIN["white"]] * 10, np.uint8)
    floor = np.array([PLAIN["gray"]] * 100, np.uint8)
    assert colour_names(motorcycle, floor) == ("red",)


def test_a_gray_thing_on_a_gray_floor_is_gray() -> None:
    assert colour_names(np.array([PLAIN["gray"]] * 9, np.uint8), np.array([PLAIN["gray"]] * 9, np.uint8)) == ("gray",)


def test_a_motley_thing_has_no_colour() -> None:
    motley = np.array(list(PLAIN.values()), np.uint8)
    assert colour_names(motley) == () and colour_names(np.empty((0, 3), np.uint8)) == ()


def test_lab_agrees_with_published_values() -> None:
    """Red, green and blue of sRGB under D65 (Lindbloom, brucelindbloom.com, CIE calculator)."""
    lab = rgb_to_lab(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]]))
    expected = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(lab, expected, atol=0.05)
