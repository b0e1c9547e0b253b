#include "hardware/kernels.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay::hardware {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSpell{40};
constexpr int kSpells = 3;
constexpr int kChains = 12;  // independent sums: latency 4 to 5 on two or more ports
constexpr int kTimes = 2000;

/// CPU time of the calling thread: what others take of a busy core is not the core's to answer for.
double ThreadSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Adds up what one spell of `work` does on each CPU (`work` returns operations or bytes), all
/// starting together; the best spell, by the second.
double Best(const std::vector<int>& cpus,
            const std::function<std::function<double()>(std::size_t)>& prepare) {
  double best = 0;
  for (int spell = 0; spell < kSpells; ++spell) {
    std::vector<double> rates(cpus.size(), 0);
    std::atomic<std::size_t> ready{0};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < cpus.size(); ++i) {
      threads.emplace_back([&, i] {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(static_cast<unsigned>(cpus[i]), &set);
        pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
        const std::function<double()> work = prepare(i);
        work();  // touches its memory, wakes the units
        ++ready;
        while (ready.load() < cpus.size()) {
          std::this_thread::yield();
        }
        const auto begin = Clock::now();
        const double began_s = ThreadSeconds();
        double done = 0;
        do {
          done += work();
        } while (Clock::now() - begin < kSpell);
        rates[i] = done / (ThreadSeconds() - began_s);
      });
    }
    threads.clear();  // joins
    double sum = 0;
    for (const double rate : rates) {
      sum += rate;
    }
    best = std::max(best, sum);
  }
  return best;
}

/// A kernel of independent sums. A macro, since vector registers are those of a function's own
/// target, which a template that it calls does not share.
#define ASSAY_KERNEL(Name, Vector, in_register)                             \
  double Name() {                                                           \
    Vector sums[kChains] = {};                                              \
    Vector a = {}, b = {};                                                  \
    asm volatile("" : in_register(a), in_register(b));                      \
    for (int t = 0; t < kTimes; ++t) {                                      \
      for (Vector & sum : sums) {                                           \
        sum = sum * a + b;                                                  \
        asm volatile("" : in_register(sum));                                \
      }                                                                     \
    }                                                                       \
    return 2.0 * kChains * kTimes * (sizeof(Vector) / sizeof(Vector{}[0])); \
  }

#if defined(__x86_64__)
using Float8 [[gnu::vector_size(32)]] = float;
using Double4 [[gnu::vector_size(32)]] = double;
using Float16 [[gnu::vector_size(64)]] = float;
using Double8 [[gnu::vector_size(64)]] = double;

[[gnu::target("avx2,fma")]] ASSAY_KERNEL(Fp32Avx2, Float8, "+x")
    [[gnu::target("avx2,fma")]] ASSAY_KERNEL(Fp64Avx2, Double4, "+x")
        [[gnu::target("avx512f")]] ASSAY_KERNEL(Fp32Avx512, Float16, "+x")
            [[gnu::target("avx512f")]] ASSAY_KERNEL(Fp64Avx512, Double8, "+x")

                [[gnu::target("avx2")]] double Int8Avx2() {
  __m256i sums[kChains] = {};
  __m256i a = _mm256_setzero_si256(), b = a, ones = a;
  asm volatile("" : "+x"(a), "+x"(b), "+x"(ones));
  for (int t = 0; t < kTimes; ++t) {
    for (__m256i& sum : sums) {
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
      asm volatile("" : "+x"(sum), "+x"(a));
    }
  }
  return 2.0 * kChains * kTimes * 32;
}

[[gnu::target("avx512f,avx512vnni")]] double Int8Vnni() {
  __m512i sums[kChains] = {};
  __m512i a = _mm512_setzero_si512(), b = a;
  asm volatile("" : "+x"(a), "+x"(b));
  for (int t = 0; t < kTimes; ++t) {
    for (__m512i& sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, a, b);
      asm volatile("" : "+x"(sum));
    }
  }
  return 2.0 * kChains * kTimes * 64;
}

[[gnu::target("avx512f,avx512bf16")]] double Bf16Avx512() {
  __m512 sums[kChains] = {};
  __m512i bits = _mm512_setzero_si512();
  asm volatile("" : "+x"(bits));
  const auto a = reinterpret_cast<__m512bh>(bits);
  for (int t = 0; t < kTimes; ++t) {
    for (__m512& sum : sums) {
      sum = _mm512_dpbf16_ps(sum, a, a);
      asm volatile("" : "+x"(sum));
    }
  }
  return 2.0 * kChains * kTimes * 32;
}

double (*KernelOf(Numbers numbers))() {
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f") != 0;
  if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0) {
    return nullptr;
  }
  switch (numbers) {
    case Numbers::kFp32:
      return wide ? Fp32Avx512 : Fp32Avx2;
    case Numbers::kFp64:
      return wide ? Fp64Avx512 : Fp64Avx2;
    case Numbers::kBf16:
      return __builtin_cpu_supports("avx512bf16") != 0 ? Bf16Avx512 : nullptr;
    case Numbers::kInt8:
      break;
  }
  return __builtin_cpu_supports("avx512vnni") != 0 ? Int8Vnni : Int8Avx2;
}

[[gnu::target("avx2")]] double Read(const std::byte* data, std::size_t bytes) {
  __m256i sums[4] = {};
  for (std::size_t at = 0; at + 128 <= bytes; at += 128) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      const auto* from = reinterpret_cast<const __m256i*>(data + at + 32 * lane);
      sums[lane] = _mm256_xor_si256(sums[lane], _mm256_loadu_si256(from));
    }
  }
  for (__m256i& sum : sums) {
    asm volatile("" : "+x"(sum));
  }
  return static_cast<double>(bytes / 128 * 128);
}
#else
using Float4 [[gnu::vector_size(16)]] = float;
using Double2 [[gnu::vector_size(16)]] = double;

ASSAY_KERNEL(Fp32Plain, Float4, "+w")
ASSAY_KERNEL(Fp64Plain, Double2, "+w")

double (*KernelOf(Numbers numbers))() {
  return numbers == Numbers::kFp32 ? Fp32Plain : numbers == Numbers::kFp64 ? Fp64Plain : nullptr;
}

double Read(const std::byte* data, std::size_t bytes) {
  std::uint64_t sum = 0;
  const auto* words = reinterpret_cast<const std::uint64_t*>(data);
  for (std::size_t i = 0; i < bytes / 8; ++i) {
    sum ^= words[i];
  }
  asm volatile("" : "+r"(sum));
  return static_cast<double>(bytes);
}
#endif

}  // namespace

double FmaPerSecond(const std::vector<int>& cpus, Numbers numbers) {
  double (*const kernel)() = KernelOf(numbers);
  if (kernel == nullptr) {
    return 0;
  }
  return Best(cpus, [kernel](std::size_t) { return std::function<double()>(kernel); });
}

double ReadBytesPerSecond(const std::vector<int>& cpus, std::size_t bytes) {
  return Best(cpus, [bytes](std::size_t) -> std::function<double()> {
    const auto data = std::make_shared<std::vector<std::byte>>(bytes);
    const std::size_t repeats = std::max<std::size_t>(1, (std::size_t{1} << 20) / bytes);
    return [data, repeats] {
      double read = 0;
      for (std::size_t i = 0; i < repeats; ++i) {
        read += Read(data->data(), data->size());
      }
      return read;
    };
  });
}

}  // namespace assay::hardware
