/* Check an RNN, written here from its equations, against the vectors of rnn-conformance.
 *
 *   cc -std=c99 -O2 -o verify verify.c -lm && ./verify FOLDER
 *
 * FOLDER is what `rnn-conformance vectors export` wrote; index.txt lists its cases. Put your own RNN
 * in the place of `direction` below. Exits with 0 where every number is within its bound. The
 * machine must be little-endian, as the files are.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 2000000 /* bytes of a file */

typedef struct {
    char id[160], file[200], dtype[16], layout[16], nonlinearity[8];
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

/* One row of one layer in one direction. x is (length, n); h (H) is h_0 and becomes the last state;
 * the state after step t goes to out[t * stride]. */
static void direction(const Case *c, int layer, int d, int n, int length, const double *x, double *h,
                      double *out, int stride) {
    int H = c->H, k, i, j;
    double *W_ih = weight("weight_ih", layer, d, (size_t)H * n);
    double *W_hh = weight("weight_hh", layer, d, (size_t)H * H);
    double *b_ih = c->bias ? weight("bias_ih", layer, d, H) : NULL;
    double *b_hh = c->bias ? weight("bias_hh", layer, d, H) : NULL;
    for (k = 0; k < length; k++) {
        int t = d ? length - 1 - k : k;
        for (i = 0; i < H; i++) {
            double a = c->bias ? b_ih[i] + b_hh[i] : 0;
            for (j = 0; j < n; j++) a += W_ih[i * n + j] * x[t * n + j];
            for (j = 0; j < H; j++) a += W_hh[i * H + j] * h[j];
            a = strcmp(c->nonlinearity, "relu") == 0 ? fmax(a, 0) : tanh(a);
            out[t * stride + i] = strcmp(c->dtype, "float32") == 0 ? (float)a : a;
        }
        memcpy(h, out + t * stride, H * sizeof *h);
    }
    free(W_ih), free(W_hh), free(b_ih), free(b_hh);
}

static size_t outside(const double *found, const double *expected, const double *bound, size_t n) {
    size_t count = 0, i;
    for (i = 0; i < n; i++) count += !(fabs(found[i] - expected[i]) <= bound[i]);
    return count;
}

/* How many numbers of a case are outside. */
static size_t run_case(const Case *c) {
    int T = c->T, B = c->B, H = c->H, D = c->D, W = D * H, S = c->L * D, b, t, layer, d;
    int wide = W > c->I ? W : c->I, rows_first = strcmp(c->layout, "batch_first") == 0;
    double *inputs = needed("inputs", (size_t)T * B * c->I), *lengths = array("lengths", B);
    double *h_0 = array("h_0", (size_t)S * B * H);
    double *output = calloc((size_t)T * B * W, sizeof *output);
    double *h_n = calloc((size_t)S * B * H, sizeof *h_n);
    double *x = malloc((size_t)T * wide * sizeof *x), *y = malloc((size_t)T * W * sizeof *y);
    if (!output || !h_n || !x || !y) fail("no memory", c->id);
    for (b = 0; b < B; b++) {
        int length = lengths ? (int)lengths[b] : T;
        if (length < 1 || length > T) fail("lengths", c->id);
#define AT(t, width) ((size_t)(rows_first ? b * T + (t) : (t) * B + b) * (width))
        for (t = 0; t < length; t++) memcpy(x + t * c->I, inputs + AT(t, c->I), c->I * sizeof *x);
        for (layer = 0; layer < c->L; layer++) {
            for (d = 0; d < D; d++) {
                double *h = h_n + ((size_t)(layer * D + d) * B + b) * H;
                if (h_0) memcpy(h, h_0 + (h - h_n), H * sizeof *h);
                direction(c, layer, d, layer ? W : c->I, length, x, h, y + d * H, W);
            }
            memcpy(x, y, (size_t)length * W * sizeof *x);
        }
        for (t = 0; t < length; t++) memcpy(output + AT(t, W), y + t * W, W * sizeof *y);
    }
    size_t wrong = 0, n = (size_t)T * B * W, m = (size_t)S * B * H;
    double *expected = needed("expected.output", n), *bound = needed("bound.output", n);
    wrong += outside(output, expected, bound, n);
    free(expected), free(bound);
    expected = needed("expected.h_n", m), bound = needed("bound.h_n", m);
    wrong += outside(h_n, expected, bound, m);
    free(expected), free(bound), free(inputs), free(lengths), free(h_0), free(output), free(h_n);
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
        if (sscanf(line, "%159s %199s %15s %15s %7s %d %d %d %d %d %d %d", c.id, c.file, c.dtype,
                   c.layout, c.nonlinearity, &c.T, &c.B, &c.I, &c.H, &c.L, &c.D, &c.bias) != 12)
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
