/* h_t = tanh(W_xh x_t + b + W_hh h_{t-1}) and y_t = W_ho h_t + b_ho, compiled, through the BLAS and
   the tanh that NumPy itself calls: their addresses come from outside. Compiled twice, with REAL
   float and double. Every array is row by row. */

#include <stdint.h>
#include <string.h>

enum { ROW_MAJOR = 101, NO = 111, TRANS = 112 };

typedef int64_t INT; /* of the BLAS */

typedef struct {
    void (*gemm)(int, int, int, INT, INT, INT, REAL, const REAL *, INT, const REAL *, INT, REAL,
                 REAL *, INT);
    void (*gemv)(int, int, INT, INT, REAL, const REAL *, INT, const REAL *, INT, REAL, REAL *, INT);
    void (*tanh)(char **, const intptr_t *, const intptr_t *, void *);
    void *tanh_data;
    int64_t T, B, I, H, O;
    int64_t block; /* steps whose inputs are projected at once */
    const REAL *x; /* (T, B, I) */
    const REAL *W_hh; /* transposed, (H, H) */
    const REAL *W_xh; /* transposed, (I, H) */
    const REAL *b;    /* (H) */
    const REAL *W_ho; /* (O, H) */
    const REAL *b_ho; /* (O) */
} problem_t;

/* Each of n rows of c, of size numbers, is b. */
static void fill(REAL *c, const REAL *b, int64_t n, int64_t size)
{
    for (int64_t row = 0; row < n; row++)
        memcpy(c + row * size, b, size * sizeof(REAL));
}

/* Into states (T+1, B, H), whose first holds zeros once this is done, and outputs y (T, B, O). */
void rnn(const problem_t *p, REAL *states, REAL *y)
{
    const int64_t B = p->B, I = p->I, H = p->H, O = p->O, size = B * H;
    const intptr_t count = size, strides[2] = {sizeof(REAL), sizeof(REAL)};
    memset(states, 0, size * sizeof(REAL));
    for (int64_t first = 0; first < p->T; first += p->block) {
        const int64_t last = p->T - first < p->block ? p->T : first + p->block;
        const int64_t rows = (last - first) * B;
        REAL *h = states + (first + 1) * size;
        fill(h, p->b, rows, H);
        p->gemm(ROW_MAJOR, NO, NO, rows, H, I, 1, p->x + first * B * I, I, p->W_xh, H, 1, h, H);
        for (int64_t t = first; t < last; t++, h += size) {
            char *in_place[2] = {(char *)h, (char *)h};
            if (B == 1)
                p->gemv(ROW_MAJOR, TRANS, H, H, 1, p->W_hh, H, h - size, 1, 1, h, 1);
            else
                p->gemm(ROW_MAJOR, NO, NO, B, H, H, 1, h - size, H, p->W_hh, H, 1, h, H);
            p->tanh(in_place, &count, strides, p->tanh_data);
        }
    }
    fill(y, p->b_ho, p->T * B, O);
    p->gemm(ROW_MAJOR, NO, TRANS, p->T * B, O, H, 1, states + size, H, p->W_ho, H, 1, y, O);
}
