/* The limit to compare with: the notebook's 5-4-4-1 relu network and nothing else, every size known to the compiler,
 * every series recorded (29 numbers a step: batch loss; |g|_1, |g|_2, mean |g|, ratio of each parameter; losses and scores
 * at evaluation points). One sample at a time in plain loops, batches eight samples a vector.
 *
 *     cc -O3 -march=native -ffast-math -shared -fPIC
 */
#include <math.h>
#include <string.h>

enum { IN = 5, H = 4, N = 49, SERIES = 1 + 6 * 4 + 2 };
enum { W1 = 0, B1 = 20, W2 = 24, B2 = 40, W3 = 44, B3 = 48 };
static const int STARTS[7] = {W1, B1, W2, B2, W3, B3, N};

typedef double V __attribute__((vector_size(64), aligned(8)));
typedef long long M __attribute__((vector_size(64)));

static inline V relu(V z) { return (V)((M)z & (z > 0)); }
static inline V masked(V d, V a) { return (V)((M)d & (a > 0)); }
static inline double sum(V v) { return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7])); }

static inline V at(const double *row, int first, int left) {
    if (left >= 8) return *(const V *)(row + first);
    V v = {0};
    for (int t = 0; t < left; t++) v[t] = row[first + t];
    return v;
}

static inline V picked(const double *row, const long long *order, int left) {
    V v = {0};
    for (int t = 0; t < 8 && t < left; t++) v[t] = row[order[t]];
    return v;
}

static inline void forward(const double *P, const V *x, V *a1, V *a2, V *out) {
    for (int j = 0; j < H; j++) {
        V z = x[0] * P[W1 + j] + P[B1 + j];
        for (int i = 1; i < IN; i++) z += x[i] * P[W1 + H * i + j];
        a1[j] = relu(z);
    }
    for (int j = 0; j < H; j++) {
        V z = a1[0] * P[W2 + j] + P[B2 + j];
        for (int i = 1; i < H; i++) z += a1[i] * P[W2 + H * i + j];
        a2[j] = relu(z);
    }
    *out = a2[0] * P[W3] + P[B3];
    for (int i = 1; i < H; i++) *out += a2[i] * P[W3 + i];
}

static double train_loss(const double *P, const double *columns, const double *y, int m) {
    V total = {0};
    for (int q = 0; q < m; q += 8) {
        V x[IN], a1[H], a2[H], e;
        for (int i = 0; i < IN; i++) x[i] = at(columns + (long)i * m, q, m - q);
        forward(P, x, a1, a2, &e);
        e -= at(y, q, m - q);
        for (int t = m - q; t < 8; t++) e[t] = 0;
        total += e * e;
    }
    return sum(total) / m;
}

static void record(double *r, double batch_loss, double train, double baseline, const double *P, const double *G,
                   double rate) {
    r[0] = batch_loss;
    for (int k = 0; k < 6; k++) {
        double g1 = 0, g2 = 0, own = 0;
        for (int i = STARTS[k]; i < STARTS[k + 1]; i++) {
            g1 += fabs(G[i]);
            g2 += G[i] * G[i];
            own += P[i] * P[i];
        }
        r[1 + 4 * k] = g1;
        r[2 + 4 * k] = sqrt(g2);
        r[3 + 4 * k] = g1 / (STARTS[k + 1] - STARTS[k]);
        r[4 + 4 * k] = sqrt(rate * rate * g2 / own);
    }
    r[25] = train;
    r[26] = 1 - train / baseline;
}

static int evaluated(long long step, int place) {
    if (step < 1024) return 1;
    int bits = 64 - __builtin_clzll(step);
    return (step & ((1LL << (bits - 10)) - 1)) == 0 || place == 0;
}

void single(double *P, const double *rows, const double *columns, const double *y, int m, const long long *order,
            long long step, int steps, double rate, double baseline, double *records) {
    double G[N];
    for (int s = 0, place = 0; s < steps; s++) {
        const double *x = rows + order[s] * (IN + 1);
        double a1[H], a2[H], d2[H], d1[H];
        for (int j = 0; j < H; j++) a1[j] = P[B1 + j];
        for (int i = 0; i < IN; i++)
            for (int j = 0; j < H; j++) a1[j] += x[i] * P[W1 + H * i + j];
        for (int j = 0; j < H; j++) a1[j] = a1[j] > 0 ? a1[j] : 0;
        for (int j = 0; j < H; j++) a2[j] = P[B2 + j];
        for (int i = 0; i < H; i++)
            for (int j = 0; j < H; j++) a2[j] += a1[i] * P[W2 + H * i + j];
        for (int j = 0; j < H; j++) a2[j] = a2[j] > 0 ? a2[j] : 0;
        double e = P[B3] - y[order[s]];
        for (int j = 0; j < H; j++) e += a2[j] * P[W3 + j];
        for (int j = 0; j < H; j++) {
            G[W3 + j] = a2[j] * e;
            d2[j] = a2[j] > 0 ? e * P[W3 + j] : 0;
        }
        G[B3] = e;
        for (int i = 0; i < H; i++) {
            double t = 0;
            for (int j = 0; j < H; j++) {
                G[W2 + H * i + j] = a1[i] * d2[j];
                t += P[W2 + H * i + j] * d2[j];
            }
            d1[i] = a1[i] > 0 ? t : 0;
        }
        for (int j = 0; j < H; j++) G[B2 + j] = d2[j];
        for (int i = 0; i < IN; i++)
            for (int j = 0; j < H; j++) G[W1 + H * i + j] = x[i] * d1[j];
        for (int j = 0; j < H; j++) G[B1 + j] = d1[j];
        double train = evaluated(step + s, place) ? train_loss(P, columns, y, m) : NAN;
        record(records + (long)SERIES * s, e * e, train, baseline, P, G, rate);
        for (int k = 0; k < N; k++) P[k] -= rate * G[k];
        if (++place == m) place = 0;
    }
}

/* `order` is NULL for full batches in data order; otherwise the rows of one batch after another. */
void batches(double *P, const double *columns, const double *y, int m, const long long *order, int size, long long step,
             int steps, double rate, double baseline, double *records) {
    double G[N];
    for (int s = 0, place = 0; s < steps; s++) {
        const int count = !order || m - place < size ? (order ? m - place : m) : size;
        V g1[IN][H] = {0}, g2[H][H] = {0}, g3[H] = {0}, h1[H] = {0}, h2[H] = {0}, h3 = {0}, total = {0};
        for (int q = 0; q < count; q += 8) {
            V x[IN], y8, a1[H], a2[H], d1[H], d2[H], e;
            const int left = count - q;
            for (int i = 0; i < IN; i++) {
                const double *row = columns + (long)i * m;
                x[i] = order ? picked(row, order + q, left) : at(row, q, left);
            }
            y8 = order ? picked(y, order + q, left) : at(y, q, left);
            forward(P, x, a1, a2, &e);
            e -= y8;
            for (int t = left; t < 8; t++) e[t] = 0;
            total += e * e;
            h3 += e;
            for (int i = 0; i < H; i++) {
                g3[i] += a2[i] * e;
                d2[i] = masked(e * P[W3 + i], a2[i]);
                h2[i] += d2[i];
            }
            for (int i = 0; i < H; i++) {
                V t = d2[0] * P[W2 + H * i];
                g2[i][0] += a1[i] * d2[0];
                for (int j = 1; j < H; j++) {
                    g2[i][j] += a1[i] * d2[j];
                    t += d2[j] * P[W2 + H * i + j];
                }
                d1[i] = masked(t, a1[i]);
                h1[i] += d1[i];
            }
            for (int i = 0; i < IN; i++)
                for (int j = 0; j < H; j++) g1[i][j] += x[i] * d1[j];
        }
        const double share = 1.0 / count;
        for (int j = 0; j < H; j++) {
            for (int i = 0; i < IN; i++) G[W1 + H * i + j] = sum(g1[i][j]) * share;
            for (int i = 0; i < H; i++) G[W2 + H * i + j] = sum(g2[i][j]) * share;
            G[W3 + j] = sum(g3[j]) * share;
            G[B1 + j] = sum(h1[j]) * share;
            G[B2 + j] = sum(h2[j]) * share;
        }
        G[B3] = sum(h3) * share;
        const double loss = sum(total) * share;
        double train = loss;
        if (order) train = evaluated(step + s, place) ? train_loss(P, columns, y, m) : NAN;
        record(records + (long)SERIES * s, loss, train, baseline, P, G, rate);
        for (int k = 0; k < N; k++) P[k] -= rate * G[k];
        if (order) {
            order += count;
            if ((place += count) >= m) place = 0;
        }
    }
}
