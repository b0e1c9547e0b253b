// The bad manners themselves. Whoever calls these asked for them.
#pragma once

#include "engines/fake/script.h"

namespace assay::engine::fake {

/// Does it; returns where the engine goes on afterwards, if at all.
///
/// protocol_fd  the descriptor to lie on; -1 when there is none
/// Errors  the scripted one. Throws what a runtime would throw for kThrow and kEat.
Status Misbehave(const Misbehaviour& misbehaviour, int protocol_fd);

}  // namespace assay::engine::fake
