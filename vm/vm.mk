# The guest's init: a static program that the library carries inside (vm/initrd.c).

$(B)/guest/init: vm/guest/init.c vm/guest/proto.h | deps
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 -O2 $(WARN) -static -s $< -o $@

$(B)/user/vm/initrd.o $(B)/san/vm/initrd.o: $(B)/guest/init
$(B)/user/vm/initrd.o $(B)/san/vm/initrd.o: CPPFLAGS += -DGUEST_INIT='"$(B)/guest/init"'
