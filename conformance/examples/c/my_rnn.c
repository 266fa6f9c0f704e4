/* An RNN in C for rnn-conformance: one layer of tanh, time first, float32 and float64.

       cc -std=c99 -O2 -o my_rnn my_rnn.c -lm
       rnn-conformance check --exec ./my_rnn

   Put your own recurrence in the place of `step`. All is computed in double, and rounded to the
   dtype of the call when it is written. The machine is taken to be little endian, as files are. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS, H_0, W_IH, B_IH, W_HH, B_HH, W_HO, B_HO, STATES, H_N, OUTPUTS, ARRAYS };
static const char *const NAMES[ARRAYS] = {"inputs", "h_0", "weight_ih_l0", "bias_ih_l0",
                                          "weight_hh_l0", "bias_hh_l0", "W_ho", "b_ho",
                                          "output", "h_n", "y"};
typedef struct {
    long shape[3]; /* axes that it does not have are 1 */
    double *numbers; /* row by row; NULL where it was not given */
} Array;

static Array arrays[ARRAYS];
static int is_float; /* whether the call is in float32 */

/* h (H) and, if there is a readout, y (O) of one row from x (I) and the state before (H). */
static void step(const double *x, const double *before, double *h, double *y) {
    long H = arrays[W_IH].shape[0], I = arrays[W_IH].shape[1], O = arrays[W_HO].shape[0];
    for (long u = 0; u < H; u++) {
        double a = arrays[B_IH].numbers[u] + arrays[B_HH].numbers[u];
        for (long i = 0; i < I; i++) a += arrays[W_IH].numbers[u * I + i] * x[i];
        for (long k = 0; k < H; k++) a += arrays[W_HH].numbers[u * H + k] * before[k];
        h[u] = tanh(a);
    }
    for (long o = 0; o < O; o++) {
        y[o] = arrays[B_HO].numbers[o];
        for (long u = 0; u < H; u++) y[o] += arrays[W_HO].numbers[o * H + u] * h[u];
    }
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
    long H = arrays[W_HH].shape[0], O = arrays[W_HO].shape[0];
    if (!arrays[H_0].numbers) make(&arrays[H_0], 1, B, H);
    make(&arrays[STATES], T, B, H);
    make(&arrays[OUTPUTS], T, B, O);
    make(&arrays[H_N], 1, B, H);
    double *h_n = arrays[H_N].numbers;
    memcpy(h_n, arrays[H_0].numbers, (size_t)(B * H) * sizeof(double));
    for (long t = 0; t < T; t++) {
        for (long b = 0; b < B; b++) {
            double *h = arrays[STATES].numbers + (t * B + b) * H;
            step(arrays[INPUTS].numbers + (t * B + b) * I, h_n + b * H, h,
                 arrays[OUTPUTS].numbers + (t * B + b) * O);
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
    char path[4096], header[1024] = "{";
    long offset = 0, width = is_float ? 4 : 8;
    int last = arrays[W_HO].numbers ? OUTPUTS : H_N;
    for (int n = STATES; n <= last; n++) {
        const long *s = arrays[n].shape, end = offset + length(&arrays[n]) * width;
        snprintf(header + strlen(header), 300,
                 "\"%s\":{\"dtype\":\"F%ld\",\"shape\":[%ld,%ld,%ld],\"data_offsets\":[%ld,%ld]}%s",
                 NAMES[n], width * 8, s[0], s[1], s[2], offset, end, n == last ? "}" : ",");
        offset = end;
    }
    snprintf(path, sizeof path, "%s/answer.safetensors", folder);
    FILE *file = fopen(path, "wb");
    if (!file) return 0;
    uint64_t header_size = strlen(header);
    fwrite(&header_size, 8, 1, file);
    fwrite(header, 1, header_size, file);
    for (int n = STATES; n <= last; n++) {
        for (long i = 0; i < length(&arrays[n]); i++) {
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
