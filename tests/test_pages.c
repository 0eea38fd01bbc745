/* Checkpoints and resets of a memory's pages: what the kernel says was written is put back, and nothing else is touched. */
#include "warm/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "warm/page_scan.h"

#define PAGES ((size_t)2048)
#define IMAGE_PAGES ((size_t)1024)

typedef struct fixture {
    char path[64];
    uint8_t *content, *memory;
    aard__image *image;
    aard__pages *pages;
} fixture;

static void ok(aard_error *error)
{
    if (error) fail_msg("%s", aard_error_message(error));
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    strcpy(f->path, "/tmp/aardvark-pages-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    f->content = calloc(PAGES, AARD__PAGE);
    for (size_t i = 0; i < IMAGE_PAGES * AARD__PAGE; i += 61) f->content[i] = (uint8_t)(i * 7 + 1);
    aard__image_parts parts = {.key = "made=here\n",
                               .text = "{}",
                               .text_len = 2,
                               .memory = f->content,
                               .memory_len = IMAGE_PAGES * AARD__PAGE};
    aard__image *image;
    ok(aard__image_from_memory(&parts, &image));
    ok(aard__image_save(image, f->path, 0600, NULL));
    aard__image_free(image);
    ok(aard__image_open(f->path, "made=here\n", NULL, &f->image));
    f->memory = mmap(NULL, PAGES * AARD__PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(f->memory != MAP_FAILED);
    ok(aard__image_map(f->image, f->memory));
    ok(aard__pages_new(f->image, &f->pages));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    aard__pages_free(f->pages);
    aard__image_free(f->image);
    munmap(f->memory, PAGES * AARD__PAGE);
    unlink(f->path);
    free(f->content);
    free(f);
    aard__pages_scan_plainly(false);
    return 0;
}

static void same(const fixture *f) { assert_memory_equal(f->memory, f->content, PAGES * AARD__PAGE); }

static void reset(fixture *f) { ok(aard__pages_reset(f->pages, f->memory, PAGES * AARD__PAGE)); }

static void checkpoint(fixture *f)
{
    ok(aard__pages_checkpoint(f->pages, f->memory, PAGES * AARD__PAGE));
    memcpy(f->content, f->memory, PAGES * AARD__PAGE);
}

static void scribble(fixture *f, unsigned seed, size_t writes)
{
    for (size_t i = 0; i < writes; i++) {
        seed = seed * 1103515245u + 12345u;
        f->memory[(size_t)seed % (PAGES * AARD__PAGE)] ^= (uint8_t)(seed >> 16 | 1);
    }
}

static void test_puts_back_what_was_written(void **state)
{
    fixture *f = *state;
    checkpoint(f);
    size_t own, restored;
    for (unsigned round = 0; round < 50; round++) {
        scribble(f, round, round % 7 * 40);
        reset(f);
        same(f);
    }
    f->memory[5 * AARD__PAGE + 9] ^= 1;
    reset(f);
    aard__pages_counts(f->pages, &own, &restored);
    assert_int_equal(restored, 1);
    assert_true(own >= 1);
}

static void test_keeps_what_was_there_at_the_checkpoint(void **state)
{
    fixture *f = *state;
    scribble(f, 77, 300);
    checkpoint(f);
    for (unsigned round = 0; round < 20; round++) {
        scribble(f, round + 1000, 200);
        reset(f);
        same(f);
    }
    scribble(f, 5, 100); /* a later checkpoint takes the place of the first */
    checkpoint(f);
    scribble(f, 6, 100);
    reset(f);
    same(f);
}

static void test_many_checkpoints_and_kept_pages_go_idle(void **state)
{
    fixture *f = *state;
    size_t own, restored;
    for (unsigned round = 0; round < 12; round++) {
        scribble(f, round * 31 + 5, 60);
        checkpoint(f);
        assert_true(aard__pages_kept(f->pages) > 0);
        for (unsigned i = 0; i < 4; i++) {
            scribble(f, round * 17 + i, 50);
            reset(f);
            same(f);
        }
    }
    for (int i = 0; i < 40; i++) reset(f);
    aard__pages_counts(f->pages, &own, &restored);
    assert_int_equal(own, 0); /* nothing is looked at that no call changes */
    same(f);
}

static void test_a_large_call_is_let_go(void **state)
{
    fixture *f = *state;
    checkpoint(f);
    memset(f->memory, 0xa5, PAGES * AARD__PAGE);
    reset(f);
    same(f);
    aard__page_scan scan = {0};
    ok(aard__page_scan_run(&scan, f->memory, IMAGE_PAGES * AARD__PAGE));
    assert_int_equal(scan.count, 0); /* nothing of the image is held twice any more */
    aard__page_scan_free(&scan);
}

static void test_idle_pages_go_back_to_the_image(void **state)
{
    fixture *f = *state;
    checkpoint(f);
    size_t own, restored;
    f->memory[3 * AARD__PAGE] ^= 1;
    reset(f);
    for (int i = 0; i < 40; i++) reset(f);
    aard__pages_counts(f->pages, &own, &restored);
    assert_int_equal(own, 0);
    f->memory[3 * AARD__PAGE] ^= 1;
    reset(f);
    same(f);
}

/* Each time that a page is let go and taken anew, all threads of the process wait. */
static void test_a_page_that_is_written_and_left_as_it_was_is_let_go_ever_more_rarely(void **state)
{
    fixture *f = *state;
    volatile uint8_t *page = f->memory + 3 * AARD__PAGE;
    checkpoint(f);
    size_t own, restored, let_go = 0;
    for (int i = 0; i < 20000; i++) {
        *page = *page;
        reset(f);
        aard__page_scan scan = {0};
        ok(aard__page_scan_run(&scan, f->memory, 8 * AARD__PAGE));
        let_go += scan.count == 0;
        aard__page_scan_free(&scan);
    }
    assert_in_range(let_go, 3, 4); /* once with all the others that the test has read */
    aard__pages_counts(f->pages, &own, &restored);
    assert_int_equal(own, 1);
    assert_int_equal(restored, 0);
    same(f);
}

static void test_many_kept_pages_come_to_lie_under_the_memory(void **state)
{
    fixture *f = *state;
    size_t own, restored, before;
    scribble(f, 9, 1000);
    checkpoint(f);
    before = aard__pages_kept(f->pages);
    assert_true(before > 500);
    for (unsigned i = 0; i < 60; i++) {
        scribble(f, i, 3);
        reset(f);
        same(f);
        aard__pages_counts(f->pages, &own, &restored);
        if (i < 10) assert_true(own >= before); /* there is nothing that they could be let go for */
    }
    assert_true(own < before / 2);
}

static void test_a_grown_memory_is_zero_behind_its_old_end(void **state)
{
    fixture *f = *state;
    ok(aard__pages_checkpoint(f->pages, f->memory, IMAGE_PAGES * AARD__PAGE));
    memset(f->memory + IMAGE_PAGES * AARD__PAGE, 7, 20 * AARD__PAGE);
    f->memory[0] ^= 1;
    reset(f);
    same(f);
}

static void test_the_older_interface_finds_the_same(void **state)
{
    fixture *f = *state;
    scribble(f, 3, 500);
    aard__page_scan quick = {0}, plain = {0};
    ok(aard__page_scan_run(&quick, f->memory, PAGES * AARD__PAGE));
    aard__pages_scan_plainly(true);
    ok(aard__page_scan_run(&plain, f->memory, PAGES * AARD__PAGE));
    assert_true(quick.count > 100);
    assert_int_equal(quick.count, plain.count);
    assert_memory_equal(quick.runs, plain.runs, quick.count * sizeof *quick.runs);
    aard__page_scan_free(&quick);
    aard__page_scan_free(&plain);
    checkpoint(f);
    scribble(f, 4, 500);
    reset(f);
    same(f);
}

static void test_without_an_image(void **state)
{
    fixture *f = *state;
    aard__pages *pages;
    uint8_t *memory = mmap(NULL, 64 * AARD__PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    memset(memory + AARD__PAGE, 9, 3 * AARD__PAGE);
    ok(aard__pages_new(NULL, &pages));
    ok(aard__pages_checkpoint(pages, memory, 64 * AARD__PAGE));
    memset(memory, 1, 64 * AARD__PAGE);
    ok(aard__pages_reset(pages, memory, 64 * AARD__PAGE));
    for (size_t i = 0; i < 64 * AARD__PAGE; i++)
        assert_int_equal(memory[i], i >= AARD__PAGE && i < 4 * AARD__PAGE ? 9 : 0);
    aard__pages_free(pages);
    munmap(memory, 64 * AARD__PAGE);
    (void)f;
}

static void test_refuses_without_a_checkpoint_or_elsewhere(void **state)
{
    fixture *f = *state;
    aard_error *error = aard__pages_reset(f->pages, f->memory, PAGES * AARD__PAGE);
    assert_non_null(error);
    assert_int_equal(aard_error_get_code(error), AARD_ERR_ENGINE);
    aard_error_free(error);
    checkpoint(f);
    error = aard__pages_reset(f->pages, f->memory + AARD__PAGE, (PAGES - 1) * AARD__PAGE);
    assert_non_null(error);
    aard_error_free(error);
    error = aard__pages_reset(f->pages, f->memory, AARD__PAGE);
    assert_non_null(error);
    aard_error_free(error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_puts_back_what_was_written),
        TEST(test_keeps_what_was_there_at_the_checkpoint),
        TEST(test_many_checkpoints_and_kept_pages_go_idle),
        TEST(test_a_large_call_is_let_go),
        TEST(test_idle_pages_go_back_to_the_image),
        TEST(test_a_page_that_is_written_and_left_as_it_was_is_let_go_ever_more_rarely),
        TEST(test_many_kept_pages_come_to_lie_under_the_memory),
        TEST(test_a_grown_memory_is_zero_behind_its_old_end),
        TEST(test_the_older_interface_finds_the_same),
        TEST(test_without_an_image),
        TEST(test_refuses_without_a_checkpoint_or_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
