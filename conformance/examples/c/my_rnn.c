/* An RNN, an LSTM and a GRU in C for rnn-conformance: one layer, time first, float32 and float64.

       cc -std=c99 -O2 -o my_rnn my_rnn.c -lm
       rnn-conformance check --exec ./my_rnn
       rnn-conformance check --exec ./my_rnn --claims my_lstm.toml

   my_lstm.toml says what is claimed, and that sizes are not looked at:

       claims = ["lstm", "float32", "float64", "time_first", "h_0", "h_n", "readout"]
       conventions = {"wrong sizes" = "undefined", "T = 0" = "undefined"}

   Put your own recurrence in the place of `step`. All is computed in double, and rounded to the
   dtype of the call when it is written. The machine is taken to be little endian, as files are. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS, H_0, C_0, W_IH, B_IH, W_HH, B_HH, W_HO, B_HO, STATES, H_N, C_N, OUTPUTS, ARRAYS };
static const char *const NAMES[ARRAYS] = {"inputs", "h_0", "c_0", "weight_ih_l0", "bias_ih_l0",
                                          "weight_hh_l0", "bias_hh_l0", "W_ho", "b_ho",
                                          "output", "h_n", "c_n", "y"};
typedef struct {
    long shape[3]; /* axes that it does not have are 1 */
    double *numbers; /* row by row; NULL where it was not given */
} Array;

static Array arrays[ARRAYS];
static int is_float; /* whether the call is in float32 */

/* One row of W v + b. */
static double affine(int W, int b, long row, const double *v) {
    long n = arrays[W].shape[1];
    double a = arrays[b].numbers[row];
    for (long k = 0; k < n; k++) a += arrays[W].numbers[row * n + k] * v[k];
    return a;
}

static double sigmoid(double a) {
    return 1 / (1 + exp(-a));
}

/* h (H) and, if there is a readout, y (O) of one row from x (I) and the state before (H); c (H), of
   an LSTM alone, is the one before, and becomes the new one. The rows of the weights are those of
   i, f, g, o, or those of r, z, n. */
static void step(const double *x, const double *before, double *h, double *c, double *y) {
    long H = arrays[W_HH].shape[1], O = arrays[W_HO].shape[0], gates = arrays[W_HH].shape[0] / H;
    for (long u = 0; u < H; u++) {
        double a[4], b[4];
        for (long k = 0; k < gates; k++) {
            a[k] = affine(W_IH, B_IH, k * H + u, x);
            b[k] = affine(W_HH, B_HH, k * H + u, before);
        }
        if (gates == 4) {
            c[u] = sigmoid(a[1] + b[1]) * c[u] + sigmoid(a[0] + b[0]) * tanh(a[2] + b[2]);
            h[u] = sigmoid(a[3] + b[3]) * tanh(c[u]);
        } else if (gates == 3) {
            double r = sigmoid(a[0] + b[0]), z = sigmoid(a[1] + b[1]);
            h[u] = (1 - z) * tanh(a[2] + r * b[2]) + z * before[u];
        } else {
            h[u] = tanh(a[0] + b[0]);
        }
    }
    for (long o = 0; o < O; o++) y[o] = affine(W_HO, B_HO, o, h);
}

static long length(const Array *array) {
    return array->shape[0] * array->shape[1] * array->shape[2];
}

/* Zeros. */
static void make(Array *array, long first, long second, long third) {
    *array = (Array){{first, second, third}, NULL};
    array->numbers = calloc((size_t)length(array) + 1, sizeof(double));
    if (!array->numbers) abort();
}

/* Every step of every row: inputs (T, B, I) give states (T, B, H) and outputs (T, B, O); O is 0
   if there is no readout. */
static void forward(void) {
    long T = arrays[INPUTS].shape[0], B = arrays[INPUTS].shape[1], I = arrays[INPUTS].shape[2];
    long H = arrays[W_HH].shape[1], O = arrays[W_HO].shape[0];
    make(&arrays[STATES], T, B, H);
    make(&arrays[OUTPUTS], T, B, O);
    for (int part = 0; part < 2; part++) { /* h, and c */
        const double *given = arrays[H_0 + part].numbers;
        make(&arrays[H_N + part], 1, B, H);
        if (given) memcpy(arrays[H_N + part].numbers, given, (size_t)(B * H) * sizeof(double));
    }
    double *h_n = arrays[H_N].numbers;
    for (long t = 0; t < T; t++) {
        for (long b = 0; b < B; b++) {
            double *h = arrays[STATES].numbers + (t * B + b) * H;
            step(arrays[INPUTS].numbers + (t * B + b) * I, h_n + b * H, h,
                 arrays[C_N].numbers + b * H, arrays[OUTPUTS].numbers + (t * B + b) * O);
            memcpy(h_n + b * H, h, (size_t)H * sizeof(double));
        }
    }
}

/* One array by its name in the header, such as "inputs":{"dtype":"F32","shape":[7,3,5],
   "data_offsets":[0,420]}. What is not in the file stays NULL. */
static void find(const char *header, const char *data, const char *name, Array *array) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":{", name);
    const char *entry = strstr(header, key);
    if (!entry) return;
    long shape[3] = {1, 1, 1}, offset = 0;
    sscanf(strstr(entry, "\"shape\":") + 8, "[%ld,%ld,%ld", &shape[0], &shape[1], &shape[2]);
    sscanf(strstr(entry, "\"data_offsets\":") + 15, "[%ld", &offset);
    is_float = strncmp(strstr(entry, "\"dtype\":") + 8, "\"F32\"", 5) == 0;
    make(array, shape[0], shape[1], shape[2]);
    for (long n = 0; n < length(array); n++) {
        float narrow = 0;
        if (is_float) memcpy(&narrow, data + offset + n * 4, 4);
        if (is_float) array->numbers[n] = narrow;
        else memcpy(&array->numbers[n], data + offset + n * 8, 8);
    }
}

static int read_call(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/call.safetensors", folder);
    FILE *file = fopen(path, "rb");
    uint64_t header_size;
    if (!file || fread(&header_size, 8, 1, file) != 1 || fseek(file, 0, SEEK_END)) return 0;
    size_t size = (size_t)ftell(file) - 8;
    char *content = calloc(size + 1, 1), *header = calloc(header_size + 1, 1);
    if (!content || !header || fseek(file, 8, SEEK_SET)) return 0;
    if (fread(content, 1, size, file) != size) return 0;
    memcpy(header, content, header_size);
    for (int n = INPUTS; n <= B_HO; n++) find(header, content + header_size, NAMES[n], &arrays[n]);
    fclose(file), free(content), free(header);
    return 1;
}

static int write_answer(const char *folder) {
    char path[4096], header[2048] = "{";
    long offset = 0, width = is_float ? 4 : 8;
    int given[ARRAYS] = {[STATES] = 1, [H_N] = 1};
    given[C_N] = arrays[W_HH].shape[0] == 4 * arrays[W_HH].shape[1];
    given[OUTPUTS] = arrays[W_HO].numbers != NULL;
    for (int n = STATES; n <= OUTPUTS; n++) {
        if (!given[n]) continue;
        const long *s = arrays[n].shape, end = offset + length(&arrays[n]) * width;
        snprintf(header + strlen(header), 300,
                 "%s\"%s\":{\"dtype\":\"F%ld\",\"shape\":[%ld,%ld,%ld],\"data_offsets\":[%ld,%ld]}",
                 n > STATES ? "," : "", NAMES[n], width * 8, s[0], s[1], s[2], offset, end);
        offset = end;
    }
    strcat(header, "}");
    snprintf(path, sizeof path, "%s/answer.safetensors", folder);
    FILE *file = fopen(path, "wb");
    if (!file) return 0;
    uint64_t header_size = strlen(header);
    fwrite(&header_size, 8, 1, file);
    fwrite(header, 1, header_size, file);
    for (int n = STATES; n <= OUTPUTS; n++) {
        for (long i = 0; given[n] && i < length(&arrays[n]); i++) {
            float narrow = (float)arrays[n].numbers[i];
            fwrite(is_float ? (void *)&narrow : &arrays[n].numbers[i], (size_t)width, 1, file);
        }
    }
    return fclose(file) == 0;
}

int main(void) {
    char folder[4000];
    while (fgets(folder, sizeof folder, stdin)) {
        folder[strcspn(folder, "\n")] = '\0';
        if (!read_call(folder)) return 1; /* what ends the program fails the check */
        forward();
        if (!write_answer(folder)) return 1;
        for (int n = 0; n < ARRAYS; n++) free(arrays[n].numbers), arrays[n] = (Array){{0}, NULL};
        puts("ok");
        fflush(stdout); /* else the line waits in a buffer */
    }
}
