"""The convolutional networks in JAX, channels last, as functions of parameters by name."""

MOMENTUM, EPSILON = 0.1, 1e-5


def network(job, jax):
    """Return forward(params, moments, x, training) to logits and new running moments."""
    np = jax.numpy

    def conv(x, weight, stride, padding):
        pads = [(padding, padding)] * 2
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(
            x, weight, (stride, stride), pads, dimension_numbers=layout
        )

    def pool(x):
        window = (1, 2, 2, 1)
        return jax.lax.reduce_window(x, -np.inf, jax.lax.max, window, window, "VALID")

    def forward(params, moments, x, training):
        moments = dict(moments)

        def norm(name, x):
            mean_name, var_name = f"{name}.runningMean", f"{name}.runningVar"
            mean, var = moments[mean_name], moments[var_name]
            if training:
                count = x.size // x.shape[-1]
                now, spread = x.mean((0, 1, 2)), x.var((0, 1, 2))
                unbiased = spread * (count / (count - 1))
                moments[mean_name] = (1 - MOMENTUM) * mean + MOMENTUM * now
                moments[var_name] = (1 - MOMENTUM) * var + MOMENTUM * unbiased
                mean, var = now, spread
            scale = params[f"{name}.weight"] * jax.lax.rsqrt(var + EPSILON)
            return (x - mean) * scale + params[f"{name}.bias"]

        def block(name, x, stride):
            y = conv(x, params[f"{name}.first.weight"], stride, 1)
            y = jax.nn.relu(norm(f"{name}.firstNorm", y))
            y = norm(f"{name}.secondNorm", conv(y, params[f"{name}.second.weight"], 1, 1))
            if f"{name}.shortcut.weight" in params:
                x = conv(x, params[f"{name}.shortcut.weight"], stride, 0)
                x = norm(f"{name}.shortcutNorm", x)
            return jax.nn.relu(y + x)

        for i, (kind, *numbers) in enumerate(job.case["layers"]):
            name = f"layers.{i}"
            if kind == "conv":
                _, _, stride, padding, _ = numbers
                x = conv(x, params[f"{name}.weight"], stride, padding)
                x = x + params.get(f"{name}.bias", 0)
            elif kind == "linear":
                x = x @ params[f"{name}.weight"] + params[f"{name}.bias"]
            elif kind == "norm":
                x = norm(name, x)
            elif kind == "block":
                x = block(name, x, numbers[1])
            elif kind == "relu":
                x = jax.nn.relu(x)
            elif kind == "pool":
                x = pool(x)
            elif kind == "average":
                x = x.mean((1, 2))
            elif kind == "flatten":
                x = x.reshape(x.shape[0], -1)
        return x, moments

    return forward


def parameters(job, np):
    """Return the initial parameters and running moments by name."""
    weights = {name: np.asarray(value) for name, value in job.weights().items()}
    moments = {name for name in weights if ".running" in name}
    return (
        {name: value for name, value in weights.items() if name not in moments},
        {name: weights[name] for name in moments},
    )
