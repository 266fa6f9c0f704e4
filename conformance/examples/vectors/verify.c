/* Check an RNN, an LSTM and a GRU, written here from their equations, against the vectors of
 * rnn-conformance.
 *
 *   cc -std=c99 -O2 -o verify verify.c -lm && ./verify FOLDER
 *
 * FOLDER is what `rnn-conformance vectors export` wrote; index.txt lists its cases. Put your own RNN
 * in the place of `step` below. Exits with 0 where every number is within its bound. The
 * machine must be little-endian, as the files are.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 2000000 /* bytes of a file */

typedef struct {
    char id[160], file[200], dtype[16], layout[16], cell[20];
    int T, B, I, H, L, D, bias;
} Case;

static char content[MOST + 1];
static size_t content_size;

static void fail(const char *what, const char *name) {
    fprintf(stderr, "verify: %s: %s\n", what, name);
    exit(2);
}

static void read_file(const char *folder, const char *name) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        fail("path too long", name);
    FILE *file = fopen(path, "rb");
    if (!file) fail("cannot be read", path);
    content_size = fread(content, 1, MOST + 1, file);
    fclose(file);
    if (content_size > MOST || content_size < 8) fail("not of the expected size", path);
}

/* An array of the file by name, as double; NULL where there is none, and else of `count` numbers. */
static double *array(const char *name, size_t count) {
    static char header[MOST + 1];
    char key[64], dtype[8];
    uint64_t length;
    size_t begin, end, size, i;
    memcpy(&length, content, 8);
    if (length > content_size - 8) fail("header", name);
    memcpy(header, content + 8, length);
    header[length] = 0;
    snprintf(key, sizeof key, "\"%s\":{\"dtype\":\"", name);
    const char *at = strstr(header, key);
    if (!at) return NULL;
    const char *offsets = strstr(at, "\"data_offsets\":[");
    if (sscanf(at + strlen(key), "%7[A-Z0-9]", dtype) != 1 || !offsets ||
        sscanf(offsets + 16, "%zu,%zu", &begin, &end) != 2)
        fail("header", name);
    size = strcmp(dtype, "F32") == 0 ? 4 : 8;
    if (begin > end || end > content_size - 8 - length || end - begin != count * size)
        fail("not of the expected size", name);
    const char *from = content + 8 + length + begin;
    double *found = malloc(count * sizeof *found);
    if (!found) fail("no memory", name);
    for (i = 0; i < count; i++) {
        float narrow;
        int64_t whole;
        if (strcmp(dtype, "F32") == 0) {
            memcpy(&narrow, from + 4 * i, 4);
            found[i] = narrow;
        } else if (strcmp(dtype, "I64") == 0) {
            memcpy(&whole, from + 8 * i, 8);
            found[i] = (double)whole;
        } else if (strcmp(dtype, "F64") == 0) {
            memcpy(&found[i], from + 8 * i, 8);
        } else {
            fail("dtype", name);
        }
    }
    return found;
}

static double *needed(const char *name, size_t count) {
    double *found = array(name, count);
    if (!found) fail("no such array", name);
    return found;
}

static double *weight(const char *kind, int layer, int d, size_t count) {
    char name[64];
    snprintf(name, sizeof name, "%s_l%d%s", kind, layer, d ? "_reverse" : "");
    return needed(name, count);
}

static int is(const Case *c, const char *cell) {
    return strcmp(c->cell, cell) == 0;
}

/* The rows of a weight for one unit: of i, f, g, o, or of r, z, n, or one. */
static int gates(const Case *c) {
    return is(c, "lstm") ? 4 : is(c, "gru") || is(c, "gru_reset_before") ? 3 : 1;
}

/* a = W v + b, of all rows. */
static void affine(double *a, int rows, int n, const double *W, const double *b, const double *v) {
    int i, j;
    for (i = 0; i < rows; i++) {
        a[i] = b ? b[i] : 0;
        for (j = 0; j < n; j++) a[i] += W[i * n + j] * v[j];
    }
}

static double sigmoid(double a) {
    return 1 / (1 + exp(-a));
}

static double rounded(const Case *c, double a) {
    return strcmp(c->dtype, "float32") == 0 ? (float)a : a;
}

/* The new h (H) and, of an LSTM, the new c in s (H), from those before. x and a are W_ih x + b_ih
 * and W_hh h + b_hh of all gates; W_hh and b_hh are for a GRU that resets before the product. */
static void step(const Case *c, const double *x, double *a, const double *W_hh, const double *b_hh,
                 double *h, double *s) {
    int H = c->H, u;
    if (is(c, "gru_reset_before")) {
        double *reset = malloc(H * sizeof *reset);
        if (!reset) fail("no memory", c->id);
        for (u = 0; u < H; u++) reset[u] = sigmoid(x[u] + a[u]) * h[u];
        affine(a + 2 * H, H, H, W_hh + 2 * H * H, b_hh ? b_hh + 2 * H : NULL, reset);
        free(reset);
    }
    for (u = 0; u < H; u++) {
        if (is(c, "lstm")) {
            double i = sigmoid(x[u] + a[u]), f = sigmoid(x[H + u] + a[H + u]);
            double g = tanh(x[2 * H + u] + a[2 * H + u]), o = sigmoid(x[3 * H + u] + a[3 * H + u]);
            s[u] = rounded(c, f * s[u] + i * g);
            h[u] = o * tanh(s[u]);
        } else if (gates(c) == 3) {
            double r = is(c, "gru") ? sigmoid(x[u] + a[u]) : 1, z = sigmoid(x[H + u] + a[H + u]);
            h[u] = (1 - z) * tanh(x[2 * H + u] + r * a[2 * H + u]) + z * h[u];
        } else {
            h[u] = is(c, "relu") ? fmax(x[u] + a[u], 0) : tanh(x[u] + a[u]);
        }
        h[u] = rounded(c, h[u]);
    }
}

/* One row of one layer in one direction. x is (length, n); h (H) is h_0 and becomes the last state,
 * s, of an LSTM, is c_0 and becomes the last c; the h after step t goes to out[t * stride]. */
static void direction(const Case *c, int layer, int d, int n, int length, const double *x, double *h,
                      double *s, double *out, int stride) {
    int H = c->H, rows = gates(c) * H, k;
    double *W_ih = weight("weight_ih", layer, d, (size_t)rows * n);
    double *W_hh = weight("weight_hh", layer, d, (size_t)rows * H);
    double *b_ih = c->bias ? weight("bias_ih", layer, d, rows) : NULL;
    double *b_hh = c->bias ? weight("bias_hh", layer, d, rows) : NULL;
    double *of_x = malloc(rows * sizeof *of_x), *of_h = malloc(rows * sizeof *of_h);
    if (!of_x || !of_h) fail("no memory", c->id);
    for (k = 0; k < length; k++) {
        int t = d ? length - 1 - k : k;
        affine(of_x, rows, n, W_ih, b_ih, x + t * n);
        affine(of_h, rows, H, W_hh, b_hh, h);
        step(c, of_x, of_h, W_hh, b_hh, h, s);
        memcpy(out + t * stride, h, H * sizeof *h);
    }
    free(W_ih), free(W_hh), free(b_ih), free(b_hh), free(of_x), free(of_h);
}

/* How many numbers of a result are outside. */
static size_t outside(const char *name, const double *found, size_t n) {
    char key[64];
    size_t count = 0, i;
    snprintf(key, sizeof key, "expected.%s", name);
    double *expected = needed(key, n);
    snprintf(key, sizeof key, "bound.%s", name);
    double *bound = needed(key, n);
    for (i = 0; i < n; i++) count += !(fabs(found[i] - expected[i]) <= bound[i]);
    free(expected), free(bound);
    return count;
}

/* How many numbers of a case are outside. */
static size_t run_case(const Case *c) {
    int T = c->T, B = c->B, H = c->H, D = c->D, W = D * H, S = c->L * D, b, t, layer, d;
    int wide = W > c->I ? W : c->I, rows_first = strcmp(c->layout, "batch_first") == 0;
    double *inputs = needed("inputs", (size_t)T * B * c->I), *lengths = array("lengths", B);
    double *h_0 = array("h_0", (size_t)S * B * H), *c_0 = array("c_0", (size_t)S * B * H);
    double *output = calloc((size_t)T * B * W, sizeof *output);
    double *h_n = calloc((size_t)S * B * H, sizeof *h_n);
    double *c_n = calloc((size_t)S * B * H, sizeof *c_n);
    double *x = malloc((size_t)T * wide * sizeof *x), *y = malloc((size_t)T * W * sizeof *y);
    if (!output || !h_n || !c_n || !x || !y) fail("no memory", c->id);
    for (b = 0; b < B; b++) {
        int length = lengths ? (int)lengths[b] : T;
        if (length < 1 || length > T) fail("lengths", c->id);
#define AT(t, width) ((size_t)(rows_first ? b * T + (t) : (t) * B + b) * (width))
        for (t = 0; t < length; t++) memcpy(x + t * c->I, inputs + AT(t, c->I), c->I * sizeof *x);
        for (layer = 0; layer < c->L; layer++) {
            for (d = 0; d < D; d++) {
                size_t at = ((size_t)(layer * D + d) * B + b) * H;
                double *h = h_n + at, *s = c_n + at;
                if (h_0) memcpy(h, h_0 + at, H * sizeof *h);
                if (c_0) memcpy(s, c_0 + at, H * sizeof *s);
                direction(c, layer, d, layer ? W : c->I, length, x, h, s, y + d * H, W);
            }
            memcpy(x, y, (size_t)length * W * sizeof *x);
        }
        for (t = 0; t < length; t++) memcpy(output + AT(t, W), y + t * W, W * sizeof *y);
    }
    size_t wrong = outside("output", output, (size_t)T * B * W);
    wrong += outside("h_n", h_n, (size_t)S * B * H);
    if (is(c, "lstm")) wrong += outside("c_n", c_n, (size_t)S * B * H);
    free(inputs), free(lengths), free(h_0), free(c_0), free(output), free(h_n), free(c_n);
    free(x), free(y);
    return wrong;
}

int main(int argc, char **argv) {
    int cases = 0, failed = 0;
    if (argc != 2) fail("usage", "verify FOLDER");
    read_file(argv[1], "index.txt");
    content[content_size] = 0;
    char *index = malloc(content_size + 1), *line;
    if (!index) fail("no memory", "index.txt");
    memcpy(index, content, content_size + 1);
    for (line = index; *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
        Case c;
        if (sscanf(line, "%159s %199s %15s %15s %19s %d %d %d %d %d %d %d", c.id, c.file, c.dtype,
                   c.layout, c.cell, &c.T, &c.B, &c.I, &c.H, &c.L, &c.D, &c.bias) != 12)
            fail("index.txt: expected twelve words in each line", line);
        if (c.T < 1 || c.B < 1 || c.I < 1 || c.H < 1 || c.L < 1 || c.D < 1 || c.D > 2 ||
            fmax(fmax(c.T, c.B), fmax(c.I, fmax(c.H, c.L))) > 10000)
            fail("index.txt: sizes", line);
        read_file(argv[1], c.file);
        size_t wrong = run_case(&c);
        printf("%s %s", wrong ? "FAILED" : "ok", c.id);
        if (wrong) printf(": %zu numbers are outside their bounds", wrong);
        printf("\n");
        cases++, failed += wrong > 0;
    }
    free(index);
    printf("%d cases, %d failed\n", cases, failed);
    return cases == 0 ? 2 : failed > 0;
}
