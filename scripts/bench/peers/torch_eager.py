"""PyTorch as its users write a fast training loop on the CPU."""

import peer
import torch_images


def build(job):
    """Return the network, with the weights that all contestants start from."""
    import torch

    torch.set_num_threads(job.threads)
    if job.case["kind"] == "images":
        return torch_images.build(job)
    layers = []
    for weight, bias in job.layers():
        layer = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.T))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def build_optimizer(job, model):
    """Return the optimizer of the case, in the one-pass form that PyTorch has for the CPU."""
    import torch

    case = job.case
    decay = 2 * (case.get("l2") or 0)  # λ·Σ W² against PyTorch's (decay/2)·Σ W², weights only
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.dim() == 1]},
    ]
    if case.get("optimizer") == "adam":
        return torch.optim.Adam(groups, lr=case["lr"], fused=True)
    return torch.optim.SGD(groups, lr=case["lr"], momentum=case.get("momentum") or 0, fused=True)


def training(job, prepare):
    """Take the first steps; `prepare(model, optimizer)` returns the step on inputs and labels."""
    import torch

    model = build(job)
    step = prepare(model, build_optimizer(job, model))
    images, targets = examples(job)
    batches = peer.Rows(torch.from_numpy(job.batches()).long())
    x = torch.empty_like(images[: job.batch])
    y = torch.empty(job.batch, dtype=torch.long)

    def run(count):
        for _ in range(count):
            rows = batches.take(1)[0]
            torch.index_select(images, 0, rows, out=x)
            torch.index_select(targets, 0, rows, out=y)
            step(x, y)
        return count

    checked = slice(0, job.checked_examples)

    def loss():
        model.eval()
        with torch.no_grad():
            result = torch.nn.functional.cross_entropy(model(images[checked]), targets[checked])
        model.train()
        return result

    losses = peer.check(job, run, loss)
    return {"losses": losses, "version": version()}, run


def examples(job):
    """Return the inputs and the labels as tensors."""
    import torch

    if job.case["kind"] == "images":
        return torch_images.images_of(job)
    pixels, labels = job.images()
    return torch.from_numpy(pixels), torch.from_numpy(labels).long()


def version():
    """Return what is measured, with the library that multiplies."""
    import torch

    return f"torch {torch.__version__}" + (", MKL" if torch.backends.mkl.is_available() else "")


def eager_step(model, optimizer):
    """Return a step as most people write it."""
    from torch.nn.functional import cross_entropy

    def step(x, y):
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def inference(job):
    """Return a call that takes a NumPy batch and gives the logits as a NumPy array."""
    import torch

    model = build(job).eval()
    pixels, _ = job.images()
    x = pixels[[i % len(pixels) for i in range(job.batch)]]

    def run(count):
        with torch.inference_mode():
            for _ in range(count):
                model(torch.from_numpy(x)).numpy()
        return count

    return {"version": version()}, run


def product(job):
    """Return a batched product of matrices of noise."""
    import torch

    torch.set_num_threads(job.threads)
    case = job.case
    a = torch.randn(case["batch"], case["m"], case["k"])
    b = torch.randn(case["batch"], case["k"], case["n"])

    def run(count):
        with torch.inference_mode():
            for _ in range(count):
                torch.bmm(a, b)
        return count

    return {"version": version()}, run


def start(job):
    """Do what the case is about."""
    if job.case["kind"] == "inference":
        return inference(job)
    if job.case["kind"] == "product":
        return product(job)
    return training(job, eager_step)


if __name__ == "__main__":
    peer.main(start)
