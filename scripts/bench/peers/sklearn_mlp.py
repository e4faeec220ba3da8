"""scikit-learn's MLPClassifier: partial_fit over several batches at a time, without shuffling."""

import peer

# Steps in one call of partial_fit, so that its checks of the input do not count much.
CHUNK = 64


def build(job, numpy):
    """Return a classifier with the weights that all contestants start from."""
    from sklearn.neural_network import MLPClassifier

    case = job.case
    model = MLPClassifier(
        hidden_layer_sizes=job.units[1:-1],
        solver=case["optimizer"],
        # λ·Σ W² against its alpha/2 · Σ W² / batch
        alpha=2 * (case.get("l2") or 0) * job.batch,
        batch_size=job.batch,
        learning_rate_init=case["lr"],
        momentum=case.get("momentum") or 0,
        nesterovs_momentum=False,
        shuffle=False,
    )
    # The first call makes the arrays; then the weights are set, and the optimizer begins anew.
    classes = numpy.arange(job.units[-1])
    zeros = numpy.zeros((job.batch, job.units[0]), "float32")
    model.partial_fit(zeros, numpy.zeros(job.batch, int), classes=classes)
    for i, (weight, bias) in enumerate(job.layers()):
        model.coefs_[i][:] = weight
        model.intercepts_[i][:] = bias
    del model._optimizer
    return model


def start(job):
    """Take the first steps."""
    import numpy
    import sklearn

    model = build(job, numpy)
    images, labels = job.images()
    batches = peer.Rows(job.batches())

    def run(count):
        done = 0
        while done < count:
            rows = batches.take(min(CHUNK, count - done))
            done += len(rows)
            rows = rows.ravel()
            model.partial_fit(images[rows], labels[rows])
        return done

    checked = slice(0, job.checked_examples)

    def loss():
        probabilities = model.predict_proba(images[checked])
        likely = probabilities[numpy.arange(job.checked_examples), labels[checked]]
        return -numpy.log(likely.astype("float64")).mean()

    ready = {"losses": peer.check(job, run, loss), "version": f"scikit-learn {sklearn.__version__}"}
    if job.case["optimizer"] == "adam":
        del ready["losses"]
        ready["note"] = "its Adam adds epsilon before the bias correction: loss not compared"
    return ready, run


if __name__ == "__main__":
    peer.main(start)
