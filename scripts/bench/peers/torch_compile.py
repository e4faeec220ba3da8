"""PyTorch with forward, backward and update compiled by torch.compile."""

import peer
from torch_eager import training


def compiled_step(model, optimizer):
    """Return a step of two compiled parts, as PyTorch's own recipe for optimizers has it."""
    import torch
    from torch.nn.functional import cross_entropy

    loss_of = torch.compile(lambda x, y: cross_entropy(model(x), y), dynamic=False)

    def step(x, y):
        loss_of(x, y).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def start(job):
    """Train."""
    return training(job, compiled_step)


if __name__ == "__main__":
    peer.main(start)
