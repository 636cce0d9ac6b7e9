#!/bin/sh
# Logistic regression by gradient descent, in awk alone.
#
#   train.sh DATA.csv        columns: load, temperature, failed (0 or 1); first line is the header
#
# EPOCHS, RATE and TARGET_LOSS come from the environment. Ends 0 when the mean log loss got below TARGET_LOSS,
# 3 when it did not (the run was fine, the model is not), 2 when there is nothing to learn from.
set -eu
data=${1:?usage: train.sh DATA.csv}
[ -r "$data" ] || { echo "train.sh: cannot read $data" >&2; exit 2; }

exec awk -F, -v epochs="${EPOCHS:-300}" -v rate="${RATE:-0.5}" -v target="${TARGET_LOSS:-0.35}" '
function sigmoid(z) { return 1 / (1 + exp(-z)) }
function clamp(p) { return p < 1e-12 ? 1e-12 : (p > 1 - 1e-12 ? 1 - 1e-12 : p) }

NR > 1 { n++; a[n] = $1; b[n] = $2; y[n] = $3; sum_a += $1; sum_b += $2 }

END {
    if (n == 0) { print "no rows in " FILENAME > "/dev/stderr"; exit 2 }
    mean_a = sum_a / n; mean_b = sum_b / n
    for (i = 1; i <= n; i++) { var_a += (a[i] - mean_a) ^ 2; var_b += (b[i] - mean_b) ^ 2 }
    sd_a = sqrt(var_a / n); sd_b = sqrt(var_b / n)
    for (i = 1; i <= n; i++) { a[i] = (a[i] - mean_a) / sd_a; b[i] = (b[i] - mean_b) / sd_b }

    printf "rows %d, epochs %d, rate %s\n", n, epochs, rate
    for (epoch = 1; epoch <= epochs; epoch++) {
        loss = 0; g0 = 0; g1 = 0; g2 = 0
        for (i = 1; i <= n; i++) {
            p = clamp(sigmoid(w0 + w1 * a[i] + w2 * b[i]))
            loss -= y[i] * log(p) + (1 - y[i]) * log(1 - p)
            g0 += p - y[i]; g1 += (p - y[i]) * a[i]; g2 += (p - y[i]) * b[i]
        }
        loss /= n
        w0 -= rate * g0 / n; w1 -= rate * g1 / n; w2 -= rate * g2 / n
        if (epoch == 1 || epoch % 50 == 0) printf "epoch %d loss %.6f\n", epoch, loss
    }
    for (i = 1; i <= n; i++) right += (sigmoid(w0 + w1 * a[i] + w2 * b[i]) >= 0.5) == y[i]
    printf "weights %.4f %.4f %.4f\naccuracy %.3f\nfinal loss %.6f (target %s)\n", w0, w1, w2, right / n, loss, target
    exit loss < target ? 0 : 3
}' "$data"
