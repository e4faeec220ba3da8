"""The convolutional networks in PyTorch, with channels last in memory."""


def build(job):
    """Return the network, with the weights that all contestants start from."""
    import torch
    from torch import nn
    from torch.nn.functional import relu

    class Block(nn.Module):
        """Two convolutions with norms, beside what came in."""

        def __init__(self, channels, filters, stride):
            super().__init__()
            self.first = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
            self.firstNorm = nn.BatchNorm2d(filters)
            self.second = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
            self.secondNorm = nn.BatchNorm2d(filters)
            self.shortcut = None
            if stride > 1 or channels != filters:
                self.shortcut = nn.Conv2d(channels, filters, 1, stride, bias=False)
                self.shortcutNorm = nn.BatchNorm2d(filters)

        def forward(self, x):
            y = self.secondNorm(self.second(relu(self.firstNorm(self.first(x)))))
            return relu(y + (self.shortcutNorm(self.shortcut(x)) if self.shortcut else x))

    class Flatten(nn.Module):
        """Channels beside each other, as the weights that follow expect them."""

        def forward(self, x):
            return x.permute(0, 2, 3, 1).flatten(1)

    makers = {
        "conv": lambda channels, filters, kernel, stride, padding, bias: nn.Conv2d(
            channels, filters, kernel, stride, padding, bias=bias
        ),
        "norm": nn.BatchNorm2d,
        "block": Block,
        "relu": lambda _: nn.ReLU(),
        "pool": lambda _: nn.MaxPool2d(2),
        "average": lambda _: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "flatten": lambda _: Flatten(),
    }
    torch.set_num_threads(job.threads)
    weights = job.weights()
    channels = job.case["image"][2]
    layers = nn.Sequential()
    for i, (kind, *numbers) in enumerate(job.case["layers"]):
        if kind == "linear":
            layers.append(nn.Linear(*weights[f"layers.{i}.weight"].shape))
            continue
        layers.append(makers[kind](channels, *numbers))
        channels = numbers[0] if numbers else channels
    network = nn.Module()
    network.layers = layers
    with torch.no_grad():
        for name, parameter in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            value = torch.from_numpy(weights[own_name(name)])
            if value.dim() == 4:
                value = value.permute(3, 2, 0, 1)
            parameter.copy_(value.T if value.dim() == 2 else value)
    return layers.to(memory_format=torch.channels_last)


NAMES = {"running_mean": "runningMean", "running_var": "runningVar"}


def own_name(name):
    """Return our name of a parameter or a buffer."""
    *path, last = name.split(".")
    return ".".join([*path, NAMES.get(last, last)])


def images_of(job):
    """Return the images [n, channels, height, width], channels last in memory, and the labels."""
    import torch

    pixels, labels = job.images()
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels).long()
