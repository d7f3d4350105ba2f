"""COCO's eighty names (Lin et al., ECCV 2014), and the numbers from 1 to 90 that its annotations use for them."""

NAMES = (
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign parking_meter bench "
    "bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis snowboard "
    "sports_ball kite baseball_bat baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork knife spoon "
    "bowl banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed dining_table "
    "toilet tv laptop mouse remote keyboard cell_phone microwave oven toaster sink refrigerator book clock vase scissors "
    "teddy_bear hair_drier toothbrush"
)
COCO = [name.replace("_", " ") for name in NAMES.split()]
_UNUSED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
#: number in COCO's annotations → name
BY_NUMBER = dict(zip((n for n in range(1, 91) if n not in _UNUSED), COCO, strict=True))
