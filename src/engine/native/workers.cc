#include "engine/native/workers.hh"

#include <pthread.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>

#include "base/clock.h"
#include "base/process.h"
#include "base/thread.h"

namespace {

using Task = std::unique_ptr<v8::Task>;

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t wake, done; // there is something to do, or no more; nothing is left to do
pthread_once_t once = PTHREAD_ONCE_INIT;
pthread_t worker;
bool running, busy, ending, dropping;
int workers = 1;
aard__poller *pollers; // that are woken by whatever has been done

// Never freed: V8 may post while the process ends.
auto &due = *new std::deque<Task>;
auto &later = *new std::multimap<uint64_t, Task>; // by aard__clock_monotonic

constexpr uint64_t kSecond = 1000000000;
constexpr uint64_t kPatience = 5 * kSecond; // what V8 does in the background takes milliseconds

timespec at(uint64_t ns) { return {static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)}; }

void make_conditions()
{
    aard__cond_init(&wake);
    aard__cond_init(&done);
}

void take_what_is_due()
{
    uint64_t now = later.empty() ? 0 : aard__clock_monotonic();
    while (!later.empty() && later.begin()->first <= now) {
        due.push_back(std::move(later.begin()->second));
        later.erase(later.begin());
    }
}

void do_one()
{
    Task task = std::move(due.front());
    due.pop_front();
    busy = true;
    pthread_mutex_unlock(&lock);
    task->Run();
    task.reset();
    pthread_mutex_lock(&lock);
    busy = false;
    for (aard__poller *one = pollers; one; one = one->next) aard__poller_wake(one);
}

void wait()
{
    if (later.empty()) {
        pthread_cond_wait(&wake, &lock);
        return;
    }
    timespec until = at(later.begin()->first);
    pthread_cond_timedwait(&wake, &lock, &until);
}

void *work(void *)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        take_what_is_due();
        if (!due.empty() && !dropping) {
            do_one();
            continue;
        }
        pthread_cond_signal(&done);
        if (ending) break;
        wait();
    }
    pthread_mutex_unlock(&lock);
    return nullptr;
}

// With the lock.  V8 waits for what it has posted, for ever where nobody does it.
void start()
{
    if (running) return;
    pthread_once(&once, make_conditions);
    if (aard__thread_start(&worker, work, nullptr)) {
        fputs("aardvark: the engine needs a thread, and the system gives none (ulimit -u, a cgroup's pids.max)\n",
              stderr);
        abort();
    }
    running = true;
}

// With the lock, which it gives up meanwhile.
void end()
{
    if (!running) return;
    ending = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    pthread_join(worker, nullptr);
    pthread_mutex_lock(&lock);
    running = ending = false;
}

// Done before the fork it is done once, and not by every child.  What is not due yet goes along into the children.
aard_error *rest()
{
    pthread_mutex_lock(&lock);
    take_what_is_due();
    if (!due.empty()) start();
    timespec until = at(aard__clock_monotonic() + kPatience);
    int late = 0;
    while (running && (busy || !due.empty()) && !late) late = pthread_cond_timedwait(&done, &lock, &until);
    if (!late) end();
    pthread_mutex_unlock(&lock);
    return late ? aard__error(AARD_ERR_BUSY, "the engine's background work has not finished; try again after a call")
                : nullptr;
}

AARD__PROCESS_STATE(workers, "threads of the engine's platform",
                    "lock wake done once worker running busy ending dropping due later pollers workers",
                    AARD__FORK_QUIESCE, rest, nullptr, nullptr);

} // namespace

namespace aard {

void work_later(Task task, double seconds)
{
    pthread_mutex_lock(&lock);
    if (!dropping) {
        start();
        if (seconds > 0)
            later.emplace(aard__clock_monotonic() + static_cast<uint64_t>(seconds * kSecond), std::move(task));
        else
            due.push_back(std::move(task));
        pthread_cond_signal(&wake);
    }
    pthread_mutex_unlock(&lock);
}

int worker_count() { return workers; }

void set_worker_count(int count) { workers = count; }

void end_workers()
{
    pthread_mutex_lock(&lock);
    dropping = true;
    end();
    pthread_mutex_unlock(&lock);
}

} // namespace aard

void aard__engine_watch(aard__poller *poller)
{
    pthread_mutex_lock(&lock);
    poller->next = pollers;
    pollers = poller;
    pthread_mutex_unlock(&lock);
}

void aard__engine_unwatch(aard__poller *poller)
{
    pthread_mutex_lock(&lock);
    aard__poller **place = &pollers;
    while (*place && *place != poller) place = &(*place)->next;
    if (*place) *place = poller->next;
    pthread_mutex_unlock(&lock);
}
