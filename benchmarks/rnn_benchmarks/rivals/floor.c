/* h_t = tanh(W_xh x_t + b + W_hh h_{t-1}) and y_t = W_ho h_t + b_ho, compiled, through the BLAS and
   the tanh that NumPy itself calls: their addresses come from outside. Compiled twice, with REAL
   float and double; INT is the integer of the BLAS. Every array is row by row.

   K = H + I + 1. States are (T+1, B, H), (T+1, B, K) or (T+1, K, B), by organisation; the first
   holds zeros once this is done. Outputs are (T, B, O), in the last organisation (T, O, B). */

#include <stdint.h>
#include <string.h>

enum { ROW_MAJOR = 101, NO = 111, TRANS = 112 };

typedef void (*gemm_t)(int, int, int, INT, INT, INT, REAL, const REAL *, INT, const REAL *, INT,
                       REAL, REAL *, INT);
typedef void (*gemv_t)(int, int, INT, INT, REAL, const REAL *, INT, const REAL *, INT, REAL, REAL *,
                       INT);
typedef void (*loop_t)(char **, const intptr_t *, const intptr_t *, void *);

typedef struct {
    gemm_t gemm;
    gemv_t gemv;
    loop_t tanh;
    void *tanh_data;
    int64_t T, B, I, H, O;
    int64_t panel; /* units of a product that are computed by one call of the BLAS */
    int64_t chunk; /* sequences of a product, likewise */
    int64_t block; /* steps whose inputs are projected at once */
    const REAL *x; /* (T, B, I) */
    const REAL *W; /* projected: W_hh' (H, H); rows: [W_hh W_xh b]' (K, H); columns: (H, K) */
    const REAL *W_xh; /* projected: W_xh' (I, H) */
    const REAL *b;    /* projected: (H) */
    const REAL *W_ho; /* (O, H) */
    const REAL *b_ho; /* (O) */
} problem_t;

static void tanh_in_place(const problem_t *p, REAL *a, int64_t n)
{
    char *args[2] = {(char *)a, (char *)a};
    const intptr_t count = n, strides[2] = {sizeof(REAL), sizeof(REAL)};
    p->tanh(args, &count, strides, p->tanh_data);
}

/* c (B, H) = a (B, k) W (k, H) + beta c, in panels of the units and chunks of the rows. */
static void row_product(const problem_t *p, const REAL *a, int64_t lda, int64_t k, REAL beta,
                        REAL *c, int64_t ldc)
{
    for (int64_t u = 0; u < p->H; u += p->panel) {
        const int64_t n = p->H - u < p->panel ? p->H - u : p->panel;
        if (p->B == 1) {
            p->gemv(ROW_MAJOR, TRANS, k, n, 1, p->W + u, p->H, a, 1, beta, c + u, 1);
            continue;
        }
        for (int64_t row = 0; row < p->B; row += p->chunk) {
            const int64_t m = p->B - row < p->chunk ? p->B - row : p->chunk;
            p->gemm(ROW_MAJOR, NO, NO, m, n, k, 1, a + row * lda, lda, p->W + u, p->H, beta,
                    c + row * ldc + u, ldc);
        }
    }
}

/* All outputs from states whose rows stand ld apart. */
static void readout(const problem_t *p, const REAL *h, int64_t ld, REAL *y)
{
    for (int64_t row = 0; row < p->T * p->B; row++)
        memcpy(y + row * p->O, p->b_ho, p->O * sizeof(REAL));
    p->gemm(ROW_MAJOR, NO, TRANS, p->T * p->B, p->O, p->H, 1, h, ld, p->W_ho, p->H, 1, y, p->O);
}

void projected(const problem_t *p, REAL *states, REAL *y)
{
    const int64_t size = p->B * p->H;
    memset(states, 0, size * sizeof(REAL));
    for (int64_t first = 0; first < p->T; first += p->block) {
        const int64_t last = p->T - first < p->block ? p->T : first + p->block;
        const int64_t rows = (last - first) * p->B;
        REAL *h = states + (first + 1) * size;
        for (int64_t row = 0; row < rows; row++)
            memcpy(h + row * p->H, p->b, p->H * sizeof(REAL));
        p->gemm(ROW_MAJOR, NO, NO, rows, p->H, p->I, 1, p->x + first * p->B * p->I, p->I, p->W_xh,
                p->H, 1, h, p->H);
        for (int64_t t = first; t < last; t++, h += size) {
            row_product(p, h - size, p->H, p->H, 1, h, p->H);
            tanh_in_place(p, h, size);
        }
    }
    readout(p, states + size, p->H, y);
}

void fused_rows(const problem_t *p, REAL *states, REAL *y)
{
    const int64_t K = p->H + p->I + 1, size = p->B * K;
    for (int64_t row = 0; row < p->B; row++)
        memset(states + row * K, 0, p->H * sizeof(REAL));
    for (int64_t t = 0; t < p->T; t++) {
        REAL *z = states + t * size, *h = z + size;
        for (int64_t row = 0; row < p->B; row++) {
            memcpy(z + row * K + p->H, p->x + (t * p->B + row) * p->I, p->I * sizeof(REAL));
            z[(row + 1) * K - 1] = 1;
        }
        row_product(p, z, K, K, 0, h, K);
        for (int64_t row = 0; row < p->B; row++)
            tanh_in_place(p, h + row * K, p->H);
    }
    readout(p, states + size, K, y);
}

void fused_columns(const problem_t *p, REAL *states, REAL *y)
{
    const int64_t K = p->H + p->I + 1, B = p->B, size = K * B;
    memset(states, 0, p->H * B * sizeof(REAL));
    for (int64_t t = 0; t < p->T; t++) {
        REAL *z = states + t * size, *h = z + size, *x = z + p->H * B;
        for (int64_t row = 0; row < B; row++)
            for (int64_t i = 0; i < p->I; i++)
                x[i * B + row] = p->x[(t * B + row) * p->I + i];
        for (int64_t row = 0; row < B; row++)
            x[p->I * B + row] = 1;
        for (int64_t u = 0; u < p->H; u += p->panel) {
            const int64_t m = p->H - u < p->panel ? p->H - u : p->panel;
            if (B == 1) {
                p->gemv(ROW_MAJOR, NO, m, K, 1, p->W + u * K, K, z, 1, 0, h + u, 1);
                continue;
            }
            for (int64_t row = 0; row < B; row += p->chunk) {
                const int64_t n = B - row < p->chunk ? B - row : p->chunk;
                p->gemm(ROW_MAJOR, NO, NO, m, n, K, 1, p->W + u * K, K, z + row, B, 0,
                        h + u * B + row, B);
            }
        }
        tanh_in_place(p, h, p->H * B);
    }
    for (int64_t t = 0; t < p->T; t++, y += p->O * B) {
        for (int64_t o = 0; o < p->O; o++)
            for (int64_t row = 0; row < B; row++)
                y[o * B + row] = p->b_ho[o];
        p->gemm(ROW_MAJOR, NO, NO, p->O, B, p->H, 1, p->W_ho, p->H, states + (t + 1) * size, B, 1,
                y, B);
    }
}
