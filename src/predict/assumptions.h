// The constants that stand between a peak and a time where nothing was measured: efficiencies,
// overheads, energies. Each says where it comes from; what says "assumed" waits for calibration.
// docs/predicting.md lists them for people.
#pragma once

#include <optional>
#include <string_view>

#include "predict/fusion.h"

namespace assay::predict {

struct Efficiency {
  double matrix;     // of the peak, for large products; assumed
  double grouped;    // of the vector peak, for depthwise convolutions; assumed
  double vector;     // of the vector peak; assumed
  double bandwidth;  // of the peak, for long streams: STREAM attains about four fifths; assumed
  double tile;       // results that keep one matrix unit or core busy: a block of registers
  double depth;      // length of the inner product at which half of `matrix` is reached
};

/// kind  of the processor: "cpu", "gpu", ...
const Efficiency& EfficiencyOf(std::string_view kind);

/// Seconds that a kernel costs besides its work, on the processor and in the engine.
/// CPU: 4 us a call in eager PyTorch (measured: 3 to 5), 1 us to wake and join threads (assumed).
/// GPU: what one launch takes, 5 us eager (assumed), 2.5 us in a graph (NVIDIA, "Getting started
/// with CUDA graphs", 2019: 3.4 us for kernels of 2.9 us and 9.6 us with synchronisation).
double OverheadOf(std::string_view kind, EngineKind engine, Kind operation);

/// Whether launches run ahead of the kernels, so that of both only the longer counts.
bool LaunchesAhead(std::string_view kind);

/// Joules of one operation. Jouppi et al., "Ten Lessons From Three Generations", ISCA 2021, table
/// 2 (multiplication and addition at 45 and 7 nm), between the two by the node's logarithm; below
/// 7 nm as at 7 nm. Nothing for numbers that the table has not.
std::optional<double> EnergyOfFlop(std::string_view precision, double process_nm);
/// Joules of one byte from main memory, or from a cache of a megabyte. Same table: HBM 350 pJ and
/// DDR 1300 pJ for eight bytes, SRAM 14 pJ.
double EnergyOfByte(std::string_view kind, bool cache);
/// Of the thermal design power, what is drawn without work: assumed (0.47 on TPU v3 and v4: Jouppi
/// et al., ISCA 2023).
double StaticShare(std::string_view kind);

}  // namespace assay::predict
