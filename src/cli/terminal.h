// The three streams of the command line. A reader that goes away ends nothing with a signal.
#pragma once

#include <string_view>

#include "base/result.h"
#include "report/table.h"

namespace assay::cli {

/// Opens /dev/null where a shell has closed one of the three: else the next file takes its number,
/// and what is meant for a reader is written into it. To be called before any file is opened.
void OpenStandardDescriptors();

/// Writes all of `text` to stdout. A closed stdout is no error: whoever listened has heard enough.
/// Errors  kIo: the device is full, ...
Status WriteOut(std::string_view text);

/// Writes `text` to stderr as it is; what cannot be written is lost.
void WriteError(std::string_view text);
/// One line for stderr.
void Say(std::string_view line);

/// Colours and width for stdout: a terminal's own width within 60 to 120 columns, else 100; colours
/// on a terminal without NO_COLOR.
report::Style StyleOfStdout();

/// Terminal columns of stderr, 0 when it is no terminal.
int WidthOfStderr();

}  // namespace assay::cli
