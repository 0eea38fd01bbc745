;; Memory for Python's objects (PyMemAllocatorEx of Include/cpython/pymem.h), added to Pyodide's module by prelinking.
;;
;; Pyodide is built without pymalloc: all its objects come from the C library's malloc, which costs a tenth and more of what
;; a loop over numbers takes.  This does what pymalloc does.  Blocks of up to 512 bytes are of 64 sizes, 8 bytes apart; a pool
;; of 16 KiB has blocks of one size, and a pool that is empty again serves any size.  Larger blocks are the C library's.
;;
;; PyObject_Malloc and PyObject_Free take the place of CPython's functions of these names, which would come here by two calls
;; more.  While another allocator is set for objects (tracemalloc does that) they are CPython's.
;;
;; Two words of memory that Emscripten leaves unused below its first object:
;;   1016 the state, while this is the allocator of objects; else 0     1020 the state
;;
;; The state, all zero at first:
;;   0    i32[64]     by class: the first pool that has room
;;   264  i32         the first empty pool
;;   268  i32, i32    pools that have never been used: from, to
;;   512  i8[2^18]    by address / 16 KiB: 1 where that is a pool
;; A pool:
;;   0  the first block that was freed; a freed block begins with the address of the next
;;   4  the first block that has never been used, 8 its last possible place: behind that the pool has no such block
;;   12 blocks in use   16, 20 the next and the previous pool with room   24 class
;;   32 blocks
;; A pool is in its class's list while it has room.  Blocks of class c have (c + 1) * 8 bytes.
(module
  (import "env" "memory" (memory 0))
  (import "env" "malloc" (func $libc_malloc (param i32) (result i32)))
  (import "env" "calloc" (func $libc_calloc (param i32 i32) (result i32)))
  (import "env" "realloc" (func $libc_realloc (param i32 i32) (result i32)))
  (import "env" "free" (func $libc_free (param i32)))
  (import "env" "memalign" (func $libc_memalign (param i32 i32) (result i32)))
  ;; as CPython has them
  (import "env" "PyObject_Malloc" (func $PyObject_Malloc (param i32) (result i32)))
  (import "env" "PyObject_Free" (func $PyObject_Free (param i32)))
  (import "env" "PyMem_SetAllocator" (func $PyMem_SetAllocator (param i32 i32)))

  ;; takes a pool out of its list
  (func $unlink (param $ctx i32) (param $pool i32)
    (local $next i32) (local $prev i32)
    (local.set $next (i32.load offset=16 (local.get $pool)))
    (local.set $prev (i32.load offset=20 (local.get $pool)))
    (if (local.get $next) (then (i32.store offset=20 (local.get $next) (local.get $prev))))
    (if (local.get $prev)
      (then (i32.store offset=16 (local.get $prev) (local.get $next)))
      (else (i32.store (i32.add (local.get $ctx) (i32.shl (i32.load offset=24 (local.get $pool)) (i32.const 2))) (local.get $next)))))

  ;; puts a pool at the head of its list
  (func $link (param $ctx i32) (param $pool i32)
    (local $head i32) (local $at i32)
    (local.set $at (i32.add (local.get $ctx) (i32.shl (i32.load offset=24 (local.get $pool)) (i32.const 2))))
    (local.set $head (i32.load (local.get $at)))
    (i32.store offset=16 (local.get $pool) (local.get $head))
    (i32.store offset=20 (local.get $pool) (i32.const 0))
    (if (local.get $head) (then (i32.store offset=20 (local.get $head) (local.get $pool))))
    (i32.store (local.get $at) (local.get $pool)))

  ;; a pool for blocks of class $class; 0 where there is no memory
  (func $refill (param $ctx i32) (param $class i32) (result i32)
    (local $pool i32) (local $size i32)
    (local.set $pool (i32.load offset=264 (local.get $ctx)))
    (if (local.get $pool)
      (then (i32.store offset=264 (local.get $ctx) (i32.load offset=16 (local.get $pool))))
      (else
        (if (i32.eq (i32.load offset=268 (local.get $ctx)) (i32.load offset=272 (local.get $ctx)))
          (then
            (local.set $pool (call $libc_memalign (i32.const 16384) (i32.const 262144)))
            (if (i32.eqz (local.get $pool)) (then (return (i32.const 0))))
            (i32.store offset=268 (local.get $ctx) (local.get $pool))
            (i32.store offset=272 (local.get $ctx) (i32.add (local.get $pool) (i32.const 262144)))
            (memory.fill (i32.add (i32.add (local.get $ctx) (i32.const 512)) (i32.shr_u (local.get $pool) (i32.const 14)))
                         (i32.const 1) (i32.const 16))))
        (local.set $pool (i32.load offset=268 (local.get $ctx)))
        (i32.store offset=268 (local.get $ctx) (i32.add (local.get $pool) (i32.const 16384)))))
    (local.set $size (i32.add (i32.shl (local.get $class) (i32.const 3)) (i32.const 8)))
    (i32.store offset=0 (local.get $pool) (i32.const 0))
    (i32.store offset=4 (local.get $pool) (i32.add (local.get $pool) (i32.const 32)))
    (i32.store offset=8 (local.get $pool) (i32.sub (i32.add (local.get $pool) (i32.const 16384)) (local.get $size)))
    (i32.store offset=12 (local.get $pool) (i32.const 0))
    (i32.store offset=24 (local.get $pool) (local.get $class))
    (call $link (local.get $ctx) (local.get $pool))
    (local.get $pool))

  (func $malloc (param $ctx i32) (param $n i32) (result i32)
    (local $class i32) (local $pool i32) (local $block i32) (local $next i32)
    (local.set $class (i32.shr_u (i32.sub (local.get $n) (i32.const 1)) (i32.const 3)))
    (if (i32.gt_u (local.get $class) (i32.const 63)) ;; or nothing is asked for
      (then (return (call $libc_malloc (local.get $n)))))
    (local.set $pool (i32.load (i32.add (local.get $ctx) (i32.shl (local.get $class) (i32.const 2)))))
    (if (i32.eqz (local.get $pool))
      (then
        (local.set $pool (call $refill (local.get $ctx) (local.get $class)))
        (if (i32.eqz (local.get $pool)) (then (return (i32.const 0))))))
    (i32.store offset=12 (local.get $pool) (i32.add (i32.load offset=12 (local.get $pool)) (i32.const 1)))
    (local.set $block (i32.load (local.get $pool)))
    (if (local.get $block)
      (then
        (local.set $next (i32.load (local.get $block)))
        (i32.store (local.get $pool) (local.get $next))
        (if (local.get $next) (then (return (local.get $block))))
        (local.set $next (i32.load offset=4 (local.get $pool))))
      (else
        (local.set $block (i32.load offset=4 (local.get $pool)))
        (local.set $next (i32.add (local.get $block) (i32.add (i32.shl (local.get $class) (i32.const 3)) (i32.const 8))))
        (i32.store offset=4 (local.get $pool) (local.get $next))))
    (if (i32.gt_u (local.get $next) (i32.load offset=8 (local.get $pool)))
      (then (call $unlink (local.get $ctx) (local.get $pool))))
    (local.get $block))

  ;; the last pool of a list stays in it when it is empty: it is wanted again soon
  (func $free (param $ctx i32) (param $block i32)
    (local $pool i32) (local $next i32) (local $count i32)
    (if (i32.eqz (i32.load8_u offset=512 (i32.add (local.get $ctx) (i32.shr_u (local.get $block) (i32.const 14)))))
      (then (call $libc_free (local.get $block)) (return)))
    (local.set $pool (i32.and (local.get $block) (i32.const -16384)))
    (local.set $next (i32.load (local.get $pool)))
    (i32.store (local.get $block) (local.get $next))
    (i32.store (local.get $pool) (local.get $block))
    (local.set $count (i32.sub (i32.load offset=12 (local.get $pool)) (i32.const 1)))
    (i32.store offset=12 (local.get $pool) (local.get $count))
    (if (i32.eqz (local.get $next))
      (then (if (i32.gt_u (i32.load offset=4 (local.get $pool)) (i32.load offset=8 (local.get $pool)))
        (then (call $link (local.get $ctx) (local.get $pool))))))
    (if (i32.eqz (local.get $count))
      (then
        (if (i32.or (i32.load offset=16 (local.get $pool)) (i32.load offset=20 (local.get $pool)))
          (then
            (call $unlink (local.get $ctx) (local.get $pool))
            (i32.store offset=16 (local.get $pool) (i32.load offset=264 (local.get $ctx)))
            (i32.store offset=264 (local.get $ctx) (local.get $pool)))))))

  (func $calloc (param $ctx i32) (param $count i32) (param $size i32) (result i32)
    (local $n i64) (local $block i32)
    (local.set $n (i64.mul (i64.extend_i32_u (local.get $count)) (i64.extend_i32_u (local.get $size))))
    (if (i64.gt_u (local.get $n) (i64.const 512))
      (then (return (call $libc_calloc (local.get $count) (local.get $size)))))
    (local.set $block (call $malloc (local.get $ctx) (i32.wrap_i64 (local.get $n))))
    (if (local.get $block) (then (memory.fill (local.get $block) (i32.const 0) (i32.wrap_i64 (local.get $n)))))
    (local.get $block))

  ;; a block stays where it is unless it grows or a quarter of it would be free
  (func $realloc (param $ctx i32) (param $block i32) (param $n i32) (result i32)
    (local $size i32) (local $new i32)
    (if (i32.eqz (local.get $block)) (then (return (call $malloc (local.get $ctx) (local.get $n)))))
    (if (i32.eqz (i32.load8_u offset=512 (i32.add (local.get $ctx) (i32.shr_u (local.get $block) (i32.const 14)))))
      (then (return (call $libc_realloc (local.get $block) (local.get $n)))))
    (local.set $size
      (i32.add (i32.shl (i32.load offset=24 (i32.and (local.get $block) (i32.const -16384))) (i32.const 3)) (i32.const 8)))
    (if (i32.le_u (local.get $n) (local.get $size))
      (then (if (i32.gt_u (i32.shl (local.get $n) (i32.const 2)) (i32.mul (local.get $size) (i32.const 3)))
        (then (return (local.get $block))))))
    (local.set $new (call $malloc (local.get $ctx) (local.get $n)))
    (if (i32.eqz (local.get $new))
      (then (return (select (local.get $block) (i32.const 0) (i32.le_u (local.get $n) (local.get $size))))))
    (memory.copy (local.get $new) (local.get $block)
      (select (local.get $n) (local.get $size) (i32.lt_u (local.get $n) (local.get $size))))
    (call $free (local.get $ctx) (local.get $block))
    (local.get $new))

  ;; ---- in CPython's place: $malloc and $free once more, since a call would cost as much as what they do

  (func $object_malloc (param $n i32) (result i32)
    (local $ctx i32)
    (local $class i32) (local $pool i32) (local $block i32) (local $next i32)
    (local.set $ctx (i32.load (i32.const 1016)))
    (if (i32.eqz (local.get $ctx)) (then (return (call $PyObject_Malloc (local.get $n)))))
    (local.set $class (i32.shr_u (i32.sub (local.get $n) (i32.const 1)) (i32.const 3)))
    (if (i32.gt_u (local.get $class) (i32.const 63)) ;; or nothing is asked for
      (then (return (call $libc_malloc (local.get $n)))))
    (local.set $pool (i32.load (i32.add (local.get $ctx) (i32.shl (local.get $class) (i32.const 2)))))
    (if (i32.eqz (local.get $pool))
      (then
        (local.set $pool (call $refill (local.get $ctx) (local.get $class)))
        (if (i32.eqz (local.get $pool)) (then (return (i32.const 0))))))
    (i32.store offset=12 (local.get $pool) (i32.add (i32.load offset=12 (local.get $pool)) (i32.const 1)))
    (local.set $block (i32.load (local.get $pool)))
    (if (local.get $block)
      (then
        (local.set $next (i32.load (local.get $block)))
        (i32.store (local.get $pool) (local.get $next))
        (if (local.get $next) (then (return (local.get $block))))
        (local.set $next (i32.load offset=4 (local.get $pool))))
      (else
        (local.set $block (i32.load offset=4 (local.get $pool)))
        (local.set $next (i32.add (local.get $block) (i32.add (i32.shl (local.get $class) (i32.const 3)) (i32.const 8))))
        (i32.store offset=4 (local.get $pool) (local.get $next))))
    (if (i32.gt_u (local.get $next) (i32.load offset=8 (local.get $pool)))
      (then (call $unlink (local.get $ctx) (local.get $pool))))
    (local.get $block))


  (func $object_free (param $block i32)
    (local $ctx i32)
    (local $pool i32) (local $next i32) (local $count i32)
    (local.set $ctx (i32.load (i32.const 1016)))
    (if (i32.eqz (local.get $ctx)) (then (call $PyObject_Free (local.get $block)) (return)))
    (if (i32.eqz (i32.load8_u offset=512 (i32.add (local.get $ctx) (i32.shr_u (local.get $block) (i32.const 14)))))
      (then (call $libc_free (local.get $block)) (return)))
    (local.set $pool (i32.and (local.get $block) (i32.const -16384)))
    (local.set $next (i32.load (local.get $pool)))
    (i32.store (local.get $block) (local.get $next))
    (i32.store (local.get $pool) (local.get $block))
    (local.set $count (i32.sub (i32.load offset=12 (local.get $pool)) (i32.const 1)))
    (i32.store offset=12 (local.get $pool) (local.get $count))
    (if (i32.eqz (local.get $next))
      (then (if (i32.gt_u (i32.load offset=4 (local.get $pool)) (i32.load offset=8 (local.get $pool)))
        (then (call $link (local.get $ctx) (local.get $pool))))))
    (if (i32.eqz (local.get $count))
      (then
        (if (i32.or (i32.load offset=16 (local.get $pool)) (i32.load offset=20 (local.get $pool)))
          (then
            (call $unlink (local.get $ctx) (local.get $pool))
            (i32.store offset=16 (local.get $pool) (i32.load offset=264 (local.get $ctx)))
            (i32.store offset=264 (local.get $ctx) (local.get $pool)))))))

  (func $set_allocator (param $domain i32) (param $allocator i32)
    (local $state i32)
    (call $PyMem_SetAllocator (local.get $domain) (local.get $allocator))
    (if (i32.eq (local.get $domain) (i32.const 2)) ;; PYMEM_DOMAIN_OBJ
      (then
        (local.set $state (i32.load (i32.const 1020)))
        (i32.store (i32.const 1016)
          (select (local.get $state) (i32.const 0) (i32.eq (local.get $state) (i32.load (local.get $allocator))))))))

  (export "PyObject_Malloc" (func $object_malloc)) (export "PyObject_Free" (func $object_free))
  (export "PyMem_SetAllocator" (func $set_allocator))
  (export "aardvark_malloc" (func $malloc)) (export "aardvark_calloc" (func $calloc))
  (export "aardvark_realloc" (func $realloc)) (export "aardvark_free" (func $free)))
