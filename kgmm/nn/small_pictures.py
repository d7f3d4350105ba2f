"""A small convolutional body for small pictures, such as digits of 16 × 16."""

from torch import Tensor, nn

from kgmm.errors import BadInput

LEAST, MOST = 4, 128  #: pixels a side of a picture


class SmallPictures(nn.Module):
    r"""Two convolutions of 5 × 5 with halving maxima and a wide layer, as LeNet-5 has them, with rectifiers.

    conv 10 → max 2 → ReLU → conv 20 → max 2 → ReLU → linear → ReLU → dropout (LeCun et al., 1998, has 6 and 16 maps); the
    borders are padded, so that 16 × 16 is not too small.

    Args:
        shape: channels, height and width of a picture; sides of 4 to 128 pixels.
        width: of what comes out.
        dropout: share of what comes out that a training step leaves out.

    Shapes: (n, channels · height · width), rows of pixels channel by channel, to (n, width).

    Example:
        >>> import torch
        >>> SmallPictures((1, 16, 16), 8)(torch.zeros(2, 256)).shape
        torch.Size([2, 8])
    """

    def __init__(self, shape: tuple[int, int, int], width: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.shape = channels, height, wide = shape
        if not (channels >= 1 and min(height, wide) >= LEAST and max(height, wide) <= MOST):
            sides = f"sides of {LEAST} to {MOST} pixels"
            raise BadInput("pictures", f"of {channels} × {height} × {wide}; the network takes channels and {sides}")
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 10, 5, padding=2),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 20, 5, padding=2),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(20 * (height // 4) * (wide // 4), width),
            nn.ReLU(),
            nn.Dropout(dropout),
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Return the wide layer for rows of pixels."""
        out: Tensor = self.layers(rows.view(len(rows), *self.shape))
        return out
