"""JAX: several whole steps in one compiled scan, parameters donated."""

import math
import os

import peer
from jax_images import network, parameters

# Steps in one call: at most, at least, and else as many as have so many operations, some 10 ms.
MOST, LEAST, OPERATIONS = 100, 4, 1e9


def limit_threads(threads):
    """Keep XLA to so many processors; it has no setting for the size of its pool."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false"


def updater(case, jax):
    """Return the optimizer as functions: its state for parameters, and one update."""
    np, tree = jax.numpy, jax.tree
    lr, momentum, decay = case["lr"], case.get("momentum") or 0, 2 * (case.get("l2") or 0)

    def sgd(params, state, grads):
        if decay:
            grads = [(g + decay * w, gb) for (g, gb), (w, _) in zip(grads, params)]
        if momentum:
            state = grads = tree.map(lambda v, g: momentum * v + g, state, grads)
        return tree.map(lambda w, g: w - lr * g, params, grads), state

    def adam(params, state, grads):
        mean, square, t = state
        t = t + 1
        mean = tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, grads)
        square = tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, grads)
        # 1 - βᵗ, which float32 would round off where βᵗ is near 1.
        first, second = -np.expm1(t * math.log(0.9)), -np.expm1(t * math.log(0.999))

        def move(w, m, v):
            return w - lr * (m / first) / (np.sqrt(v / second) + 1e-8)

        params = tree.map(move, params, mean, square)
        return params, (mean, square, t)

    def zeros(params):
        return tree.map(np.zeros_like, params)

    if case.get("optimizer") == "adam":
        return (lambda params: (zeros(params), zeros(params), np.float32(0))), adam
    return (lambda params: zeros(params) if momentum else ()), sgd


def dense(job, jax):
    """Return a perceptron as images.network does, its parameters, and operations of a step."""
    np = jax.numpy
    params = [(np.asarray(weight), np.asarray(bias)) for weight, bias in job.layers()]

    def forward(params, kept, x, training):
        *hidden, (weight, bias) = params
        for w, b in hidden:
            x = jax.nn.relu(x @ w + b)
        return x @ weight + bias, kept

    flops = sum(6 * job.batch * a * b for a, b in zip(job.units, job.units[1:]))
    return forward, params, {}, flops


def convolutional(job, jax):
    """Return a convolutional network likewise."""
    # A step takes milliseconds: as few in one call as there may be.
    return network(job, jax), *parameters(job, jax.numpy), OPERATIONS


def training(job):
    """Compile and take the first steps."""
    import jax

    np = jax.numpy
    pixels, labels = job.images()
    images, targets = np.asarray(pixels), np.asarray(labels)
    make = convolutional if job.case["kind"] == "images" else dense
    forward, params, kept, flops = make(job, jax)
    state_for, update = updater(job.case, jax)
    batches = np.asarray(job.batches())

    def loss_of(params, kept, x, y, training):
        logits, kept = forward(params, kept, x, training)
        logs = jax.nn.log_softmax(logits)
        return -np.take_along_axis(logs, y[:, None], 1).mean(), kept

    def step(carry, rows, images, targets):
        params, state, kept = carry
        of_batch = (images[rows], targets[rows], True)
        grads, kept = jax.grad(loss_of, has_aux=True)(params, kept, *of_batch)
        return (*update(params, state, grads), kept), None

    size = int(max(LEAST, min(MOST, OPERATIONS // flops)))
    carry = (params, state_for(params), kept)

    def steps(carry, rows, images, targets):
        return jax.lax.scan(lambda c, r: step(c, r, images, targets), carry, rows)[0]

    steps = jax.jit(steps, donate_argnums=0)
    order = peer.Rows(batches)

    def run_by(size, count):
        nonlocal carry
        calls = -(-count // size)
        for _ in range(calls):
            carry = steps(carry, order.take(size), images, targets)
        jax.block_until_ready(carry)
        return calls * size

    checked = slice(0, job.checked_examples)
    losses = peer.check(
        job,
        lambda count: run_by(1, count),
        lambda: loss_of(carry[0], carry[2], images[checked], targets[checked], False)[0],
    )
    # Whole calls only: one with fewer steps would be compiled for itself.
    order = peer.Rows(batches[: len(batches) // size * size])
    run_by(size, size)
    ready = {"losses": losses, "version": f"jax {jax.__version__}"}
    return ready, lambda count: run_by(size, count)


def product(job):
    """Return a batched product of matrices of noise."""
    import jax

    case = job.case
    first, second = jax.random.split(jax.random.key(1))
    a = jax.random.normal(first, (case["batch"], case["m"], case["k"]))
    b = jax.random.normal(second, (case["batch"], case["k"], case["n"]))
    multiply = jax.jit(jax.numpy.matmul)

    def run(count):
        for _ in range(count):
            multiply(a, b).block_until_ready()
        return count

    return {"version": f"jax {jax.__version__}"}, run


def start(job):
    """Do what the case is about."""
    limit_threads(job.threads)
    return product(job) if job.case["kind"] == "product" else training(job)


if __name__ == "__main__":
    peer.main(start)
