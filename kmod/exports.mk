# What modules made by kbuild need of the core: the checksum of its exports' declarations, which the
# core carries, and build/kmod/Module.symvers, which tells it to kbuild (KBUILD_EXTRA_SYMBOLS).
# Comments and line breaks of the header do not count.

$(B)/gen/exports_crc.h: include/spile/watchpoint.h include/spile/kprobes.h kmod/exports.mk | deps
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)$(CC) -E -P -ffreestanding -I include $< | cksum | \
	  awk '{ printf "#define EXPORTS_CRC \"0x%08x\"\n", $$1 }' >$@.new
	$(Q)mv $@.new $@

$(B)/core/kmod/exports.o: $(B)/gen/exports_crc.h

$(B)/kmod/Module.symvers: kmod/exports.def $(B)/gen/exports_crc.h
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)crc=$$(sed 's/.*"\(.*\)"/\1/' $(B)/gen/exports_crc.h); sed -n \
	  "s/^EXPORT(\(.*\))/$$crc	\1	spile	EXPORT_SYMBOL_GPL	/p" $< >$@.new
	$(Q)mv $@.new $@
